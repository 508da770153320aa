import { expect, test } from "vitest";
import { parseHead, type UsualHead } from "../src/http/head.ts";

const GET = "GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";

function usual(text: string): UsualHead {
  const head = parseHead(Buffer.from(text, "latin1"));
  if (typeof head === "string") throw new Error(`${head}: ${JSON.stringify(text)}`);
  return head;
}

/** A POST with this line among its headers. */
function post(line: string): string {
  return `POST /v2 HTTP/1.1\r\nHost: x\r\n${line}\r\nContent-Length: 5\r\n\r\n`;
}

test("parses the head of a usual request: method, target, length, where the body starts", () => {
  const get = usual(GET);
  expect([get.method, get.target, get.contentLength, get.end]).toEqual(["GET", "/v2", 0, GET.length]);
  const posted = usual(`${POST}{"a":`);
  expect([posted.method, posted.target]).toEqual(["POST", "/v2/models/m/infer"]);
  expect([posted.contentLength, posted.end]).toEqual([5, POST.length]);
  expect(usual("POST / HTTP/1.1\r\nhost: x\r\n\r\n").contentLength).toBe(0);
});

test("finds a header by its name in lower case, without the spaces around its value", () => {
  const head = usual(
    "POST /a?b=c%20d HTTP/1.1\r\nHOST:x\r\nX-Weird!Name:   a, b;c  \r\nEmpty:\r\nConnection: Keep-Alive\r\n\r\n",
  );
  expect(head.target).toBe("/a?b=c%20d");
  expect(["host", "x-weird!name", "empty", "connection", "none"].map((name) => head.header(name))).toEqual([
    "x",
    "a, b;c",
    "",
    "Keep-Alive",
    undefined,
  ]);
});

test("waits for the rest of a head that may yet be usual, whichever byte it was cut at", () => {
  for (const text of [GET, POST]) {
    for (let length = 0; length < text.length; length++) {
      expect(parseHead(Buffer.from(text.slice(0, length))), JSON.stringify(text.slice(0, length))).toBe("incomplete");
    }
  }
});

test.each([
  ["no HTTP", "hello\r\n"],
  ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00"],
  ["a line that ends with a line feed alone", "GET / HTTP/1.1\n"],
  ["another method", "PUT"],
  ["HTTP/2 without asking", "PRI * HTTP/2.0\r\n"],
])("does not wait for the end of what can only be unusual: %s", (_what, text) => {
  expect(parseHead(Buffer.from(text, "latin1"))).toBe("unusual");
});

test.each([
  ["Content-Length beside Transfer-Encoding", post("Transfer-Encoding: chunked")],
  ["Transfer-Encoding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["two lengths", post("Content-Length: 5")],
  ["two lengths that differ", post("content-length: 6")],
  ["a list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n"],
  ["a length with a sign", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n"],
  ["a length in hexadecimal", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\n"],
  ["no digits as length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n"],
  ["a length beyond any", `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${"9".repeat(20)}\r\n\r\n`],
  ["a GET with a body", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"],
  ["a header twice", post("Host: y")],
  ["a folded line", post("A: b\r\n c")],
  ["a folded line that starts with a tab", post("A: b\r\n\tc")],
  ["a space before the colon", post("A : b")],
  ["a space before the name", post(" A: b")],
  ["no name", post(": b")],
  ["no colon", post("A")],
  ["a name that is no token", post("A(b): c")],
  ["a tab in a value", post("A: b\tc")],
  ["a tab before a value", post("A:\tb")],
  ["a control character in a value", post("A: b\x01c")],
  ["a NUL in a value", post("A: b\0c")],
  ["DEL in a value", post("A: b\x7f")],
  ["a byte beyond ASCII in a value", post("A: \xe9")],
  ["a bare carriage return", post("A: b\rc")],
  ["a bare line feed between headers", "POST / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"],
  ["a bare line feed after the request line", "POST / HTTP/1.1\nHost: x\r\n\r\n"],
  ["a line feed in front", `\n${GET}`],
  ["an empty line in front", `\r\n${GET}`],
  ["a method in lower case", GET.replace("GET", "get")],
  ["HEAD", GET.replace("GET", "HEAD")],
  ["a method that starts alike", GET.replace("GET", "GETS")],
  ["OPTIONS for all", GET.replace("GET /v2", "OPTIONS *")],
  ["a target in absolute form", GET.replace("/v2", "http://x/v2")],
  ["a target without a slash", GET.replace("/v2", "v2")],
  ["a target with a byte beyond ASCII", GET.replace("/v2", "/\xe9")],
  ["a target with a tab", GET.replace("/v2", "/\tv2")],
  ["two spaces before the target", GET.replace("/v2", " /v2")],
  ["two spaces after the target", GET.replace("/v2", "/v2 ")],
  ["no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["no version", "GET /v2\r\nHost: x\r\n\r\n"],
  ["HTTP/1.0", GET.replace("1.1", "1.0")],
  ["HTTP/1.2", GET.replace("1.1", "1.2")],
  ["http in lower case", GET.replace("HTTP", "http")],
  ["no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n"],
  ["no header at all", "GET / HTTP/1.1\r\n\r\n"],
  ["Connection: close", post("Connection: close")],
  ["Connection with an upgrade", post("Connection: Upgrade\r\nUpgrade: websocket")],
  ["Connection with a list", post("Connection: keep-alive, x")],
  ["Expect", post("Expect: 100-continue")],
  ["a compressed body", post("Content-Encoding: gzip")],
  ["TE", post("TE: trailers")],
  ["Trailer", post("Trailer: A")],
])("leaves it to Node's parser: %s", (_what, text) => {
  expect(parseHead(Buffer.from(text, "latin1"))).toBe("unusual");
});

test("never reads beyond the head: what follows it changes nothing", () => {
  for (const body of ["", "\r\n\r\n", GET, "\0".repeat(9)]) {
    const head = usual(POST + body);
    expect([head.end, head.target, head.header("host")]).toEqual([POST.length, "/v2/models/m/infer", "x"]);
  }
});
