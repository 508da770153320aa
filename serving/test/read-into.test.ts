import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { readInto } from "../src/http/read-into.ts";
import { createCertificate } from "./certificates.ts";
import { EchoListener } from "./echo-listener.ts";

/** Both sides of a connection. */
async function pair(): Promise<{ readonly client: Socket; readonly accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ ...(server.address() as { port: number }), host: "127.0.0.1", allowHalfOpen: true });
  const [accepted] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    for (const one of [client, accepted]) one.destroy();
    server.close();
  });
  return { client, accepted };
}

test("a socket is read into the memory that was given, from its first byte to its end", async () => {
  const { client, accepted } = await pair();
  const whole = Buffer.alloc(300_000);
  let filled = 0;
  const reads: Uint8Array[] = [];
  const memory = () => whole.subarray(filled, filled + 100_000);
  const arrived = (bytes: number, where: Uint8Array) => {
    reads.push(where);
    filled += bytes;
    return true;
  };
  expect(readInto(accepted, { memory, arrived })).toBe(true);
  accepted.resume();
  const sent = Buffer.from(Array.from({ length: 250_000 }, (_, index) => index % 251));
  const ended = once(accepted, "end");
  client.end(sent);
  await ended;
  expect(whole.subarray(0, filled).equals(sent)).toBe(true);
  expect(reads.every(({ buffer }) => buffer === whole.buffer)).toBe(true);
});

test("a socket that is paused is not read, and nothing is lost of what comes meanwhile", async () => {
  const { client, accepted } = await pair();
  const shared = Buffer.alloc(1_000);
  let text = "";
  const arrived = (bytes: number) => {
    text += shared.toString("latin1", 0, bytes);
    return !text.endsWith("! ");
  };
  readInto(accepted, { memory: () => shared, arrived });
  accepted.resume();
  client.write("one ");
  await expect.poll(() => text).toBe("one ");
  accepted.pause();
  client.write("two ");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(text).toBe("one ");
  accepted.resume();
  await expect.poll(() => text).toBe("one two ");
  client.write("three! ");
  await expect.poll(() => text).toBe("one two three! ");
  client.write("four ");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(text).toBe("one two three! ");
  accepted.resume();
  await expect.poll(() => text).toBe("one two three! four ");
});

test("a socket of TLS is left as it was", async () => {
  const folder = mkdtempSync(join(tmpdir(), "read-into-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { cert, key } = createCertificate(folder, "localhost");
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connectTls({
    ...(server.address() as { port: number }),
    host: "127.0.0.1",
    rejectUnauthorized: false,
  });
  onTestFinished(() => void client.destroy());
  const [accepted] = (await once(server, "secureConnection")) as [Socket];
  expect(readInto(accepted, { memory: () => Buffer.alloc(1), arrived: () => true })).toBe(false);
  client.write("hello");
  expect(String((await once(accepted, "data"))[0])).toBe("hello");
});

test("requests on many connections do not write over each other's bytes, however they are cut and joined", async () => {
  const echo = await EchoListener.start();
  const talk = async (letter: string, index: number) => {
    const client = await echo.connect();
    // Nothing lies at the same place in what two of them send.
    const target = `/later/${letter.repeat(index + 1)}`;
    const post = (body: string) =>
      `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const size of [5, 3_000, 70_000, 200_000].map((length) => length + 13 * index)) {
      const bodies = [letter.repeat(size), letter.toUpperCase().repeat(size + 1), letter.repeat(7)];
      const bytes = bodies.map(post).join("");
      // The second begins in what the first is read with, the last lies behind them.
      for (const cut of [size, size + 60, size + 120, 2 * size + 100]) {
        client.send(bytes.slice(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        const answers = await client.send(bytes.slice(cut)).texts(3);
        expect(answers.map((text, index) => text === `POST ${target} ${bodies[index]}`)).toEqual([true, true, true]);
      }
    }
  };
  await Promise.all([..."abcdefgh"].map(talk));
});

test("what arrives of a body that was refused is thrown away", async () => {
  const echo = await EchoListener.start({ headersTimeoutMs: 200, requestTimeoutMs: 200 });
  const client = await echo.connect();
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", "x".repeat(90_000));
  expect((await client.answer()).status).toBe(408);
  client.send("x".repeat(10_000));
  await expect.poll(() => echo.connections(), { timeout: 5_000 }).toBe(0);
  expect([echo.bodies.length, echo.refusals]).toEqual([0, [408]]);
});
