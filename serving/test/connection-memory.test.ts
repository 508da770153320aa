import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { EchoListener } from "./echo-listener.ts";

const LARGE = 600_000;

function post(target: string, body: string | Uint8Array, headers = ""): readonly (string | Uint8Array)[] {
  return [`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${headers}\r\n`, body];
}

function head(target: string, length: number): string {
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
}

test("what is announced and does not come takes nothing from others", async () => {
  const echo = await EchoListener.start({ maxHeldBytes: 1_000_000, maxBodyBytes: 1_000_000 });
  for (let count = 0; count < 5; count++) (await echo.connect()).send(head("/never", 1_000_000), "x");
  await expect.poll(() => echo.admitted.length).toBe(5);
  const client = await echo.connect();
  client.send(...post("/large-one", "y".repeat(LARGE)));
  expect((await client.answer()).status).toBe(200);
});

test("a body that arrives beyond what may be held is refused at once, and its memory given back", async () => {
  const echo = await EchoListener.start({ maxHeldBytes: 1_000_000, maxBodyBytes: 1_000_000 });
  const [one, other] = [await echo.connect(), await echo.connect()];
  one.send(head("/one", LARGE + 1), "x".repeat(LARGE));
  await expect.poll(() => echo.admitted.length).toBe(1);
  other.send(head("/other", LARGE + 1), "x".repeat(LARGE));
  const refused = await other.answer();
  expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("connection")]).toEqual([
    503,
    "1",
    "close",
  ]);
  expect(echo.refusals).toEqual([503]);
  one.send("x");
  expect((await one.answer()).status).toBe(200);
  const third = await echo.connect();
  third.send(...post("/third", "x".repeat(LARGE)));
  expect((await third.answer()).status).toBe(200);
});

test("a chunked or compressed request holds what it is, not what it may become", async () => {
  const echo = await EchoListener.start({ maxHeldBytes: 1_000_000, maxBodyBytes: 1_000_000 });
  const clients = await Promise.all(Array.from({ length: 6 }, () => echo.connect()));
  for (const [index, client] of clients.entries()) {
    if (index % 2 === 0) client.send(...post("/held", gzipSync("hello"), "Content-Encoding: gzip\r\n"));
    else client.send("POST /held HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  }
  await expect.poll(() => echo.held.length).toBe(6);
  for (const held of echo.held) held.answer();
  for (const client of clients) expect((await client.answer()).body.toString()).toBe("POST /held hello");
});

test("an answer that is not read counts as held until it is", async () => {
  const echo = await EchoListener.start({ maxHeldBytes: 8_000_000, maxBodyBytes: 4_000_000 });
  const reader = await echo.connect();
  reader.socket.pause();
  reader.send(...post("/large/30000000", ""));
  const refused = async () => {
    const client = await echo.connect();
    client.send(head("/more", LARGE + 1), "x".repeat(LARGE), "x");
    return (await client.answer()).status;
  };
  await expect.poll(refused).toBe(503);
  reader.socket.resume();
  expect((await reader.answer()).body.length).toBe(30_000_000);
  expect(await refused()).toBe(200);
});

test("a request that is refused is refused once, whether it has a body or not", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send(...post("/refused", ""));
  expect((await client.answer()).status).toBe(401);
  expect(echo.refusals).toEqual([401]);
  client.send(...post("/refused", "with a body"));
  expect((await client.answer()).status).toBe(401);
  expect(echo.refusals).toEqual([401, 401]);
});

test("who ends the connection leaves the queue; who only ends its side reads what is answered soon", async () => {
  const echo = await EchoListener.start();
  const [leaving, reading] = [await echo.connect(), await echo.connect()];
  reading.send(...post("/held/read", "")).end();
  await expect.poll(() => echo.held.length).toBe(1);
  echo.held[0]?.answer();
  expect((await reading.answer()).body.toString()).toBe("POST /held/read ");
  leaving.send(...post("/held/left", ""));
  await expect.poll(() => echo.held.length).toBe(2);
  // As `close` does, without a reset.
  leaving.socket.end();
  await once(leaving.socket, "finish");
  await expect.poll(() => echo.held[1]?.cancellation.cancelled, { timeout: 5_000 }).toBe(true);
});

test.each([
  ["in chunks", "", (bytes: Buffer) => chunk(bytes)],
  ["compressed", "Content-Encoding: gzip\r\n", (bytes: Buffer) => chunk(gzipSync(bytes, { level: 0 }))],
])("what a client goes on sending %s after it was refused is not counted", async (_how, headers, wrap) => {
  const echo = await EchoListener.start({ maxHeldBytes: 700_000, maxBodyBytes: 2_000_000 });
  for (let round = 0; round < 8; round++) {
    const [holding, refused] = [await echo.connect(), await echo.connect()];
    holding.send(head("/holding", 690_001), "x".repeat(690_000));
    await expect.poll(() => echo.admitted.length).toBe(2 * round + 1);
    refused.send(`POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`);
    refused.send(wrap(Buffer.alloc(150_000)));
    expect((await refused.answer()).status).toBe(503);
    holding.socket.destroy();
    await expect.poll(() => echo.connections()).toBe(1);
    for (let count = 0; count < 3; count++) refused.send(chunk(Buffer.alloc(50_000)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    refused.socket.destroy();
    await expect.poll(() => echo.connections()).toBe(0);
  }
  const client = await echo.connect();
  client.send(...post("/large-one", "y".repeat(LARGE)));
  expect((await client.answer()).status).toBe(200);
});

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

test("a client that sends one request after the other without reading is read no faster than it is answered", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const many = Buffer.from("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".repeat(200_000));
  client.send(many);
  client.socket.resume();
  await expect.poll(() => echo.bodies.length).toBeGreaterThan(50);
  const answered = echo.bodies.length;
  const [server] = echo.sockets;
  expect(server?.bytesRead).toBeLessThan(answered * 60 + 4 * 64 * 1024);
});
