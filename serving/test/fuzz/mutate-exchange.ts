import { framed, type Header, head } from "./http-request.ts";
import { chunks, type Transport } from "./mutate-encoding.ts";
import { oneAnswer, type RestCase } from "./rest-case.ts";

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** Heads that no server should answer with 200. */
const BROKEN_HEADS = [
  "GET /v2/health/live HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nA : b\r\nContent-Length: 0\r\n\r\n",
  "POST /v2/models/any/infer HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nA: \0\r\nContent-Length: 0\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nA: \rb\r\nContent-Length: 0\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nno colon\r\n\r\n",
  "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
  "GET /v2/health/live HTTP/1.1x\r\nHost: x\r\n\r\n",
  "get /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET  /v2/models/any/infer HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /v2/health/live /x HTTP/1.1\r\nHost: x\r\n\r\n",
  "POST /v2/models/%00/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/%ff%fe/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/%ed%a0%80/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/__proto__/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/any/versions/constructor/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/any/versions/-1/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/any/toString HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/../../etc/passwd HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "POST /v2/models/\xe9/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "DELETE /v2/models/any HTTP/1.1\r\nHost: x\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
  "TRACE /v2 HTTP/1.1\r\nHost: x\r\n\r\n",
  "QUERY /v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
  "XYZ /v2 HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /v2/models/any/infer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "\r\n\r\n\r\nXYZ",
];

/** Requests that are whole, in ways that are slow, unusual or many at a time. */
export const EXCHANGES: readonly Transport[] = [
  (dice, request, sent) => {
    const parts = dice.pieces(framed(request), 12);
    const pieces = parts.flatMap((part) => [part, dice.between(0, 3)]);
    return { label: "in dribbles", pieces, ending: "waits", answers: [{ kind: "answered", sent }] };
  },
  (dice, request, sent) => {
    const whole = Buffer.concat([head(request.target, [...request.headers, ["Transfer-Encoding", "chunked"]])]);
    const parts = dice.pieces(chunks(dice, request.body), 12).flatMap((part) => [part, dice.between(0, 3)]);
    return {
      label: "chunks in dribbles",
      pieces: [whole, ...parts],
      ending: "waits",
      answers: [{ kind: "answered", sent }],
    };
  },
  (_, request, sent) =>
    oneAnswer("a client that ends its side", framed(request), { kind: "answered", sent }, { ending: "ends" }),
  (dice, request) => {
    const whole = framed(request);
    const cut = whole.subarray(0, dice.between(1, whole.length - 1));
    return oneAnswer("cut short", cut, { kind: "silent" }, { ending: dice.pick(["ends", "resets"]) });
  },
  (_, request) => oneAnswer("a client that leaves", framed(request), { kind: "silent" }, { ending: "resets" }),
  (dice, request, sent) => {
    const good = { kind: "answered", sent } as const;
    const bad = { kind: "refused" } as const;
    const chunked = Buffer.concat([
      head(request.target, [...request.headers, ["Transfer-Encoding", "chunked"]]),
      chunks(dice, request.body),
    ]);
    const kinds = [
      [framed(request), good],
      [chunked, good],
      [framed({ ...request, body: latin1('{"inputs":5}'), headers: [] }), bad],
      [latin1("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), bad],
      [latin1("PUT /v2 HTTP/1.1\r\nHost: x\r\n\r\n"), bad],
    ] as const;
    const chosen = Array.from({ length: dice.between(2, 8) }, () => dice.pick(kinds));
    const bytes = Buffer.concat(chosen.map(([part]) => part));
    const answers = chosen.map(([, answer]) => answer);
    return { label: "several at a time", pieces: dice.pieces(bytes, 3), ending: dice.pick(["waits", "ends"]), answers };
  },
  (dice, request, sent) => {
    const chunked = Buffer.concat([
      head(request.target, [...request.headers, ["Transfer-Encoding", "chunked"]]),
      chunks(dice, request.body),
    ]);
    const first = dice.pick([framed(request), chunked]);
    const broken = dice.pick([
      latin1("garbage\r\n\r\n"),
      latin1("POST /v2/models/any/infer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"),
      latin1("POST /v2/models/any/infer HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"),
      latin1("POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"),
    ]);
    const pieces = dice.pieces(Buffer.concat([first, first, broken]), dice.pick([1, 3]));
    const good = { kind: "answered", sent } as const;
    return {
      label: "something broken behind two",
      pieces,
      ending: "waits",
      answers: [good, good, { kind: "refused" }],
    };
  },
  (dice) => {
    const broken = dice.pick(BROKEN_HEADS);
    return oneAnswer("a broken head", latin1(broken), { kind: "refused" }, { rest: true, ending: "ends" });
  },
  (dice, request) => {
    const size = dice.pick([17_000, 100_000, 2_000_000]);
    const place = dice.pick<readonly [string, string]>([
      [request.target, `A: ${"x".repeat(size)}\r\n`],
      [request.target, "A: b\r\n".repeat(size / 6)],
      [`/v2/models/${"x".repeat(size)}/infer`, ""],
    ]);
    const bytes = latin1(`POST ${place[0]} HTTP/1.1\r\nHost: x\r\n${place[1]}Content-Length: 0\r\n\r\n`);
    return oneAnswer("a head beyond the limit", bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request, sent): RestCase => {
    const length = String(request.body.length);
    const bytes = head(request.target, [...request.headers, ["Content-Length", length], ["Expect", "100-continue"]]);
    return {
      label: "Expect: 100-continue",
      pieces: dice.oneIn(2) ? [bytes, 5, request.body] : [Buffer.concat([bytes, request.body])],
      ending: "waits",
      answers: [{ kind: "answered", sent }],
      continues: true,
    };
  },
  (dice, request) => {
    const headers: Header[] = [...request.headers, ["Expect", dice.pick(["x", "200-ok", "100-continues"])]];
    const bytes = framed({ ...request, headers });
    return oneAnswer("another expectation", bytes, { kind: "refused", statuses: [417] }, { rest: true });
  },
  (dice, request, sent) => {
    const more: Header[] = [...request.headers, ["Content-Length", String(request.body.length)]];
    const expect: Header[] = dice.oneIn(2) ? [["Expect", "100-continue"]] : [];
    const bytes = Buffer.concat([head(request.target, [...more, ...expect], "1.0"), request.body]);
    return oneAnswer("HTTP/1.0", bytes, { kind: "answered", sent });
  },
  (dice, request, sent) => {
    const target = dice.pick([
      `http://x${request.target}`,
      `HTTP://x:80${request.target}`,
      `${request.target}?a=b`,
      `${request.target}/`,
      request.target.replace("infer", "%69nfer"),
    ]);
    return oneAnswer("another form of the target", framed({ ...request, target }), { kind: "answered", sent });
  },
  (dice, request, sent) => {
    const headers: Header[] = [
      ...request.headers,
      ["Connection", dice.pick(["close", "keep-alive", "Keep-Alive, x", "x"])],
      ["Keep-Alive", "timeout=5"],
      ["X-\x7e", dice.pick(["\xe9", "\t", "", "  a  "])],
      ["TE", "trailers"],
    ];
    return oneAnswer("unusual headers", framed({ ...request, headers }), { kind: "answered", sent });
  },
  (_, request, sent) => {
    const bytes = Buffer.concat([latin1("\r\n"), framed(request)]);
    return oneAnswer("an empty line before it", bytes, { kind: "answered", sent });
  },
];
