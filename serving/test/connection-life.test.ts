import { once } from "node:events";
import { expect, test } from "vitest";
import { drain } from "../src/lifecycle/drain.ts";
import { EchoListener } from "./echo-listener.ts";

function post(target: string, body: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function chunkedHead(target: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
}

const GET = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
/** More than the kernel buffers for a client that does not read. */
const LARGE = 30_000_000;

test.each([
  ["a head", "GET /a HTTP/1.1\r\nHost:"],
  ["a head that is not usual", "PUT /a HTTP/1.1\r\nHost:"],
  ["a body", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"],
  ["a body in chunks", `${chunkedHead("/a")}5\r\nhel`],
])("a client that is too slow with %s is told so, and its connection is ended", async (_what, sent) => {
  const echo = await EchoListener.start({ headersTimeoutMs: 200, requestTimeoutMs: 200 });
  const client = await echo.connect();
  const answer = await client.send(sent).answer();
  expect([answer.status, answer.body.toString()]).toEqual([408, '{"error":"the request took too long to arrive"}']);
  await client.closedByServer();
});

test.each([
  ["that never sent a byte", ""],
  ["after a usual request", GET],
  ["after an unusual request", `${chunkedHead("/a")}0\r\n\r\n`],
])("an idle connection is ended without a word %s", async (_when, sent) => {
  const echo = await EchoListener.start({ headersTimeoutMs: 200, keepAliveMs: 200 });
  const client = await echo.connect();
  if (sent !== "") expect((await client.send(sent).answer()).status).toBe(200);
  await client.closedByServer();
  expect(client.unread).toBe("");
});

test("time that an answer takes is not the client's: a request in flight is never too slow", async () => {
  const echo = await EchoListener.start({ headersTimeoutMs: 100, requestTimeoutMs: 100, keepAliveMs: 100 });
  const clients = [await echo.connect(), await echo.connect()];
  clients[0]?.send(post("/held/1", "hello"));
  clients[1]?.send(`${chunkedHead("/held/2")}5\r\nhello\r\n0\r\n\r\n`);
  await expect.poll(() => echo.held.length).toBe(2);
  // Another client's patience ends meanwhile: connections were looked through.
  const idle = await echo.connect();
  await idle.closedByServer();
  for (const held of echo.held) held.answer();
  for (const client of clients) expect((await client.answer()).status).toBe(200);
});

test.each([
  ["usual", post(`/large/${LARGE}`, "")],
  ["unusual", `${chunkedHead(`/large/${LARGE}`)}0\r\n\r\n`],
])("a client that does not read its answer is let go (%s)", async (_what, sent) => {
  const echo = await EchoListener.start({ keepAliveMs: 300 });
  const client = await echo.connect();
  client.socket.pause();
  client.send(sent);
  await expect.poll(() => echo.bodies.length).toBe(1);
  await expect.poll(() => echo.connections(), { timeout: 10_000 }).toBe(0);
});

test("a client that does not read its answer is not answered again until it does", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.socket.pause();
  client.send(post(`/large/${LARGE}`, ""), GET);
  await expect.poll(() => echo.bodies.length).toBe(1);
  // Enough turns of the loop for one more answer.
  expect(await (await echo.connect()).send(GET).texts(1)).toEqual(["GET /a "]);
  expect(echo.admitted.length).toBe(2);
  client.socket.resume();
  expect((await client.answer()).body.length).toBe(LARGE);
  expect(await client.texts(1)).toEqual(["GET /a "]);
});

test("a client that reads slowly gets its answer whole, however long that takes", async () => {
  const echo = await EchoListener.start({ keepAliveMs: 1_000 });
  const client = await echo.connect();
  const { socket } = client;
  let read = 0;
  socket.on("data", ({ length }: Buffer) => {
    read += length;
  });
  client.send(post(`/large/${LARGE}`, ""), GET);
  for (let share = 1; share <= 6; share++) {
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.resume();
    while (read < (share * LARGE) / 6) await once(socket, "data");
  }
  expect((await client.answer()).body.length).toBe(LARGE);
  expect(await client.texts(1)).toEqual(["GET /a "]);
});

test("bodies that would not fit in memory together are refused with 503 while others arrive", async () => {
  const echo = await EchoListener.start({ maxHeldBytes: 250_000 });
  const [first, second, third] = [await echo.connect(), await echo.connect(), await echo.connect()];
  const body = "x".repeat(200_000);
  const request = post("/large/1", body);
  first.send(request.slice(0, 150_000));
  await expect.poll(() => echo.admitted.length).toBe(1);
  const refused = await second.send(request).answer();
  expect([refused.status, refused.headers.get("retry-after"), refused.body.toString()]).toEqual([
    503,
    "1",
    '{"error":"the server holds as many request bodies as its memory allows: try again"}',
  ]);
  // Small ones are not counted.
  expect((await third.send(post("/a", "hello")).answer()).status).toBe(200);
  expect((await first.send(request.slice(150_000)).answer()).status).toBe(200);
  // What was answered, and what a client took back, is free again.
  const left = await echo.connect();
  const before = echo.admitted.length;
  left.send(request.slice(0, 150_000));
  await expect.poll(() => echo.admitted.length).toBe(before + 1);
  left.socket.destroy();
  await expect.poll(async () => (await (await echo.connect()).send(request).answer()).status).toBe(200);
});

test("a client that ends its side after its requests gets all of its answers", async () => {
  const echo = await EchoListener.start();
  const one = await echo.connect();
  one.send(post("/held/1", "one")).end();
  const several = await echo.connect();
  several.send(post("/held/2", "one"), post("/2", "two"), `${chunkedHead("/3")}5\r\nthree\r\n0\r\n\r\n`, GET).end();
  await expect.poll(() => echo.held.length).toBe(2);
  for (const held of echo.held) held.answer();
  expect(await one.texts(1)).toEqual(["POST /held/1 one"]);
  await one.closedByServer();
  expect(await several.texts(4)).toEqual(["POST /held/2 one", "POST /2 two", "POST /3 three", "GET /a "]);
  await several.closedByServer();
});

test("what is malformed behind a request in flight is not answered in its place", async () => {
  const echo = await EchoListener.start();
  const usual = await echo.connect();
  usual.send(post("/held/1", "hello"), "garbage\r\n\r\n");
  const unusual = await echo.connect();
  unusual.send(`${chunkedHead("/held/2")}5\r\nhello\r\n0\r\n\r\ngarbage\r\n\r\n`);
  await expect.poll(() => echo.held.some(({ target }) => target === "/held/1")).toBe(true);
  for (const held of echo.held) held.answer();
  expect(await usual.texts(1)).toEqual(["POST /held/1 hello"]);
  expect((await usual.answer()).status).toBe(400);
  await expect.poll(() => echo.held.length).toBe(2);
  echo.held[1]?.answer();
  expect(await unusual.texts(1)).toEqual(["POST /held/2 hello"]);
  expect((await unusual.answer()).status).toBe(400);
  await unusual.closedByServer();
});

test.each([
  ["is malformed", `${chunkedHead("/a")}no size\r\n`, 400],
  ["was refused already", `${chunkedHead("/refused")}no size\r\n`, 401],
])("a malformed body that %s is answered after the request before it", async (_what, malformed, status) => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send(`${chunkedHead("/held")}5\r\nhello\r\n0\r\n\r\n`, malformed);
  await expect.poll(() => echo.held.length).toBe(1);
  echo.held[0]?.answer();
  expect(await client.texts(1)).toEqual(["POST /held hello"]);
  expect((await client.answer()).status).toBe(status);
  await client.closedByServer();
});

test("a client that was refused may read why while it still sends, and is let go when it stays", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send("garbage\r\n\r\n", "x".repeat(2_000_000));
  expect((await client.answer()).status).toBe(400);
  await expect.poll(() => echo.connections(), { timeout: 5_000 }).toBe(0);
});

test("a body in chunks that turns out to be malformed is refused", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  expect((await client.send(`${chunkedHead("/a")}5\r\nhel`, "lo\r\nno size\r\n").answer()).status).toBe(400);
  await client.closedByServer();
  expect(echo.bodies).toEqual([]);
});

test("a client that ends its side within a request is let go without an answer", async () => {
  const echo = await EchoListener.start();
  for (const part of ["GET /a HT", post("/a", "hello").slice(0, -1)]) {
    const client = await echo.connect();
    await client.send(part).end().closedByServer();
    expect(client.unread).toBe("");
  }
  expect(echo.bodies).toEqual([]);
});

test.each([
  ["usual", post("/held", "hello")],
  ["unusual", `${chunkedHead("/held")}5\r\nhello\r\n0\r\n\r\n`],
])("a request whose client leaves is cancelled (%s)", async (_what, sent) => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send(sent);
  await expect.poll(() => echo.held.length).toBe(1);
  client.socket.resetAndDestroy();
  await expect.poll(() => echo.held[0]?.cancellation.cancelled).toBe(true);
  echo.held[0]?.answer();
  expect(await (await echo.connect()).send(GET).texts(1)).toEqual(["GET /a "]);
});

test("a drain ends idle connections at once, lets requests in flight finish, and tells their clients to close", async () => {
  const echo = await EchoListener.start();
  const silent = await echo.connect();
  const idle = await echo.connect();
  await idle.send(GET).answer();
  const unusual = await echo.connect();
  await unusual.send(`${chunkedHead("/a")}0\r\n\r\n`).answer();
  const [usualHeld, unusualHeld, half] = [await echo.connect(), await echo.connect(), await echo.connect()];
  usualHeld.send(post("/held/1", "hello"), GET);
  unusualHeld.send(`${chunkedHead("/held/2")}5\r\nhello\r\n0\r\n\r\n`);
  half.send(post("/a", "hello").slice(0, -1));
  await expect.poll(() => echo.held.length).toBe(2);
  echo.keeps = false;
  const drained = drain(echo.listener, { stillAnswerMs: 0, inFlightMs: 10_000 });
  await Promise.all([silent, idle, unusual].map((client) => client.closedByServer()));
  for (const held of echo.held) held.answer();
  half.send("o");
  for (const client of [usualHeld, unusualHeld, half]) {
    const { status, headers } = await client.answer();
    expect([status, headers.get("connection")]).toEqual([200, "close"]);
    await client.closedByServer();
  }
  await drained;
});

test.each([
  ["usual", post(`/large/${LARGE}`, "")],
  ["unusual", `${chunkedHead(`/large/${LARGE}`)}0\r\n\r\n`],
])("a drain cuts no answer off that its client still reads (%s)", async (_what, sent) => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.socket.pause();
  client.send(sent);
  await expect.poll(() => echo.bodies.length).toBe(1);
  echo.keeps = false;
  const drained = drain(echo.listener, { stillAnswerMs: 0, inFlightMs: 10_000 });
  // A few rounds of ending what is idle.
  const idle = await new Promise((resolve) => setTimeout(resolve, 300));
  expect(idle).toBeUndefined();
  client.socket.resume();
  expect((await client.answer()).body.length).toBe(LARGE);
  await drained;
});

test("connections that were kept are ended with their next answer once the server wants no traffic", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  expect((await client.send(GET).answer()).headers.has("connection")).toBe(false);
  echo.keeps = false;
  expect((await client.send(GET).answer()).headers.get("connection")).toBe("close");
  await client.closedByServer();
});
