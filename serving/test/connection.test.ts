import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { EchoListener } from "./echo-listener.ts";

function post(target: string, body: string, headers = ""): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

function chunked(target: string, body: string, headers = ""): string {
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  return `POST ${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n${headers}\r\n${chunk}`;
}

const GET = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

test("answers usual requests one after the other on one connection", async () => {
  const client = await (await EchoListener.start()).connect();
  for (const body of ["hello", "", "x".repeat(100_000), "hello"]) {
    const answer = await client.send(post("/a", body)).answer();
    expect([answer.status, answer.body.toString()]).toEqual([200, `POST /a ${body}`]);
    // Node's server would name it: this went past it.
    expect(answer.headers.has("connection")).toBe(false);
    expect(answer.headers.get("date")).toMatch(/GMT$/);
  }
  expect((await client.send(GET).answer()).body.toString()).toBe("GET /a ");
});

test("answers requests that were sent together in their order, and starts none before its turn", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send(post("/held/1", "one"), post("/2", "two"), post("/held/3", "three"), GET);
  await expect.poll(() => echo.held.length).toBe(1);
  // The second is not even looked at.
  expect(echo.admitted.length).toBe(1);
  echo.held[0]?.answer();
  expect(await client.texts(2)).toEqual(["POST /held/1 one", "POST /2 two"]);
  await expect.poll(() => echo.held.length).toBe(2);
  expect(echo.admitted.length).toBe(3);
  echo.held[1]?.answer();
  expect(await client.texts(2)).toEqual(["POST /held/3 three", "GET /a "]);
});

test("answers a request that arrives byte by byte, and one that is cut anywhere", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const request = post("/a", "hello", "A: b\r\n");
  for (const byte of request) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.texts(1)).toEqual(["POST /a hello"]);
  for (let cut = 1; cut < request.length; cut += 3) {
    client.send(request.slice(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await client.send(request.slice(cut), GET).texts(2)).toEqual(["POST /a hello", "GET /a "]);
  }
});

test("puts a body that arrives in pieces where the tensors behind its JSON are aligned", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const large = Buffer.alloc(300_000, "x");
  for (const json of [0, 1, 7, 8, 133]) {
    client.send(
      `POST /large/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length}\r\nInference-Header-Content-Length: ${json}\r\n\r\n`,
      large,
    );
    await client.answer();
    const body = echo.bodies.at(-1) as Buffer;
    expect(body.equals(large)).toBe(true);
    expect((body.byteOffset + json) % 8).toBe(0);
  }
});

test("the memory of a large body holds no other request, so that it can be moved to a worker thread", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const large = post("/moved", "x".repeat(100_000));
  // Its parts come in two reads, and are put together while the request before it is answered.
  client.send(post("/held", ""), large.slice(0, 50_000));
  await expect.poll(() => echo.held.length).toBe(1);
  client.send(large.slice(50_000), post("/a", "hello"), GET);
  await (await echo.connect()).send(GET).answer();
  echo.held[0]?.answer();
  expect((await client.texts(4)).slice(2)).toEqual(["POST /a hello", "GET /a "]);
  // And in Node's server, where it is one chunk.
  const whole = await echo.connect();
  whole.send(
    `POST /moved HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive, x\r\nContent-Length: 60000\r\n\r\n${"x".repeat(60_000)}`,
    GET,
  );
  expect((await whole.texts(2)).at(-1)).toBe("GET /a ");
});

test("parses a head anew that differs in one byte from the one before, and reads the body anew in any case", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const bodies = ["hello", "world"];
  expect(await client.send(...bodies.map((body) => post("/a", body, "T: 1\r\n"))).texts(2)).toEqual([
    "POST /a hello",
    "POST /a world",
  ]);
  expect(echo.admitted[1]).toBe(echo.admitted[0]);
  expect(await client.send(post("/b", "hello", "T: 1\r\n")).texts(1)).toEqual(["POST /b hello"]);
  await client.send(post("/b", "hello", "T: 2\r\n")).texts(1);
  expect(echo.admitted.at(-1)?.header("t")).toBe("2");
  expect(await client.send(post("/b", "six!!!", "T: 2\r\n"), post("/b", "six!!!", "t: 2\r\n")).texts(2)).toEqual([
    "POST /b six!!!",
    "POST /b six!!!",
  ]);
  expect(echo.admitted.length).toBe(6);
});

test("an unusual request is answered as well: chunked, compressed, HEAD, HTTP/1.0, Connection: close", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  expect(await client.send(chunked("/a", "hello")).texts(1)).toEqual(["POST /a hello"]);
  const zipped = gzipSync("hello");
  client.send(
    `POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`,
    zipped,
  );
  expect(await client.texts(1)).toEqual(["POST /a hello"]);
  const head = await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n").answer(false);
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "7"]);
  expect(client.unread).toBe("");

  const old = await echo.connect();
  expect(await old.send("GET /a HTTP/1.0\r\n\r\n").texts(1)).toEqual(["GET /a "]);
  await old.ended();
  const last = await echo.connect();
  const answer = await last.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").answer();
  expect(answer.headers.get("connection")).toBe("close");
  await last.ended();
});

test("usual and unusual requests that were sent together are answered in their order", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  client.send(post("/held/1", "one"), post("/2", "two"), chunked("/3", "three"), post("/4", "four"), GET);
  await expect.poll(() => echo.held.length).toBe(1);
  echo.held[0]?.answer();
  expect(await client.texts(5)).toEqual([
    "POST /held/1 one",
    "POST /2 two",
    "POST /3 three",
    "POST /4 four",
    "GET /a ",
  ]);
});

test("a client that asks first is told to go on, or why not to", async () => {
  const echo = await EchoListener.start({ maxBodyBytes: 100 });
  const ask = (length: number) =>
    `POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  const client = await echo.connect();
  expect((await client.send(ask(5)).answer()).status).toBe(100);
  expect(await client.send("hello").texts(1)).toEqual(["POST /a hello"]);
  expect((await client.send(ask(101)).answer()).status).toBe(413);
  expect(echo.bodies.length).toBe(1);
});

test("what a client expects is refused when it is something else, and passed over in HTTP/1.0", async () => {
  const echo = await EchoListener.start();
  const other = await (await echo.connect()).send(post("/a", "hello", "Expect: x\r\n")).answer();
  expect([other.status, other.body.toString()]).toEqual([
    417,
    '{"error":"Expect of the request must be 100-continue"}',
  ]);
  const old = await echo.connect();
  old.send("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
  expect((await old.answer()).status).toBe(200);
});

test("is no proxy: takes a target that names its host, and refuses CONNECT in words", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  const targets = ["http://x/a?b", "HTTP://x:80/a", "http://x", "http://x?b"];
  expect(await client.send(...targets.map((target) => post(target, "hello"))).texts(4)).toEqual([
    "POST /a?b hello",
    "POST /a hello",
    "POST / hello",
    "POST /?b hello",
  ]);
  const tunnel = await (await echo.connect()).send("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n").answer();
  expect([tunnel.status, tunnel.body.toString()]).toEqual([405, '{"error":"CONNECT is not allowed here"}']);
});

test("refuses what no two servers would read alike, and closes the connection", async () => {
  const echo = await EchoListener.start();
  for (const request of [
    post("/a", "hello", "Transfer-Encoding: chunked\r\n"),
    post("/a", "hello", "Content-Length: 4\r\n"),
    post("/a", "hello", "A : b\r\n"),
    "GET /a HTTP/1.1\nHost: x\n\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ]) {
    const client = await echo.connect();
    const answer = await client.send(request, GET).answer();
    expect(answer.status, request).toBe(400);
    await client.ended();
  }
  expect(echo.admitted).toEqual([]);
});

test("refuses headers and bodies over their limits, and tells the client so however much it sends", async () => {
  const echo = await EchoListener.start({ maxBodyBytes: 1_000_000 });
  const fat = await echo.connect();
  expect((await fat.send(post("/a", "", `A: ${"x".repeat(5_000)}\r\n`)).answer()).status).toBe(431);
  const endless = await echo.connect();
  expect((await endless.send(`GET /a HTTP/1.1\r\nA: ${"x".repeat(5_000)}`).answer()).status).toBe(431);
  for (const request of [post("/a", "x".repeat(1_000_001)), chunked("/a", "x".repeat(1_000_001))]) {
    const large = await echo.connect();
    const answer = await large.send(request).answer();
    expect([answer.status, answer.body.toString()]).toEqual([
      413,
      '{"error":"the request body is larger than 1000000 bytes, the limit of this server"}',
    ]);
    await large.ended();
  }
  expect(echo.bodies).toEqual([]);
});

test.each([
  ["A: b\r\n", "no"],
  ["Host: x\r\nHost: y\r\n", "more than one"],
])("refuses a request that does not name one Host, and says so: %j", async (headers, count) => {
  const client = await (await EchoListener.start()).connect();
  const { status, body } = await client.send(`GET /a HTTP/1.1\r\n${headers}\r\n`).answer();
  expect([status, body.toString()]).toEqual([400, `{"error":"the request has ${count} Host header"}`]);
});

test("a refusal before the body is read reaches the client; what would follow an unread body is not read as a request", async () => {
  const echo = await EchoListener.start();
  const client = await echo.connect();
  expect((await client.send(post("/refused", "")).answer()).status).toBe(401);
  expect(await client.send(GET).texts(1)).toEqual(["GET /a "]);
  for (const body of ["hello", "x".repeat(200_000)]) {
    const refused = await echo.connect();
    const answer = await refused.send(post("/refused", body)).answer();
    expect([answer.status, answer.headers.get("connection")]).toEqual([401, "close"]);
    await refused.ended();
  }
  expect(echo.bodies.length).toBe(1);
});

test("ends the connection when a request cannot be answered, and leaves the others", async () => {
  const echo = await EchoListener.start();
  const [broken, other] = [await echo.connect(), await echo.connect()];
  await broken.send(post("/broken", "hello")).ended();
  expect(broken.unread).toBe("");
  expect(await other.send(post("/a", "hello")).texts(1)).toEqual(["POST /a hello"]);
});
