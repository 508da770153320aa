import { framed, type Header, type HttpRequest, head, JSON_LENGTH } from "./http-request.ts";
import { chunks, type Transport } from "./mutate-encoding.ts";
import type { Expectation } from "./oracle.ts";
import { oneAnswer } from "./rest-case.ts";
import { MAX_BODY_BYTES } from "./server-health.ts";

const NO_LENGTHS = ["-1", "+5", "0x5", "5, 5", "1e1", "5.0", "five", "18446744073709551617", "99999999999999999999999"];
const NO_SIZES = ["-1", "x", "", "0x5", "+5", "ffffffffffffffffff", "5 5", "\0"];

function chunkedHead({ target, headers }: HttpRequest): Buffer {
  return head(target, [...headers, ["Transfer-Encoding", "chunked"]]);
}

/** With these headers in place of Content-Length. */
function withHeaders({ target, headers, body }: HttpRequest, more: readonly Header[]): Buffer {
  return Buffer.concat([head(target, [...headers, ...more]), body]);
}

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** How a message says where it ends: rightly in unusual ways, and wrongly. */
export const FRAMINGS: readonly Transport[] = [
  (dice, request, sent) =>
    oneAnswer("chunks", Buffer.concat([chunkedHead(request), chunks(dice, request.body)]), { kind: "answered", sent }),
  (dice, request) => {
    const size = dice.pick(NO_SIZES);
    const bytes = Buffer.concat([chunkedHead(request), latin1(`${size}\r\n`), request.body, latin1("\r\n0\r\n\r\n")]);
    return oneAnswer(`a chunk of '${size}' bytes`, bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const wrong = request.body.length + dice.pick([1, 2, 7]);
    const bytes = [chunkedHead(request), latin1(`${wrong.toString(16)}\r\n`), request.body];
    const all = Buffer.concat([...bytes, latin1("\r\n0\r\n\r\n")]);
    return oneAnswer("a chunk of another size", all, { kind: "silent" }, { rest: true, ending: "ends" });
  },
  (dice, request) => {
    const whole = Buffer.concat([chunkedHead(request), chunks(dice, request.body)]);
    const cut = whole.subarray(0, dice.between(1, whole.length - 1));
    return oneAnswer("chunks cut short", cut, { kind: "silent" }, { ending: "ends" });
  },
  (_, request) => {
    const size = (MAX_BODY_BYTES + 1).toString(16);
    const bytes = [chunkedHead(request), latin1(`${size}\r\n`), Buffer.alloc(MAX_BODY_BYTES + 1, " ")];
    const all = Buffer.concat([...bytes, latin1("\r\n0\r\n\r\n")]);
    return oneAnswer("chunks beyond the limit", all, { kind: "refused", statuses: [413] });
  },
  (dice, request) => {
    const extension = `;${"e".repeat(dice.pick([20_000, 200_000]))}`;
    const bytes = [chunkedHead(request), latin1(`5${extension}\r\nhello\r\n0\r\n\r\n`)];
    return oneAnswer("an endless chunk extension", Buffer.concat(bytes), { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const trailer = `0\r\nA: ${"t".repeat(dice.pick([20_000, 200_000]))}\r\n\r\n`;
    const bytes = Buffer.concat([chunkedHead(request), latin1(trailer)]);
    return oneAnswer("an endless trailer", bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request, sent) => {
    const bytes = Buffer.concat([framed(request), dice.bytes(dice.between(1, 60))]);
    return oneAnswer("bytes behind it", bytes, { kind: "answered", sent }, { ending: "ends", rest: true });
  },
  (dice, request, sent) => {
    const short = Math.max(0, request.body.length - dice.between(1, 20));
    const bytes = withHeaders(request, [["Content-Length", String(short)]]);
    const body = request.body.subarray(0, short);
    const answer = { kind: "either", sent: { ...sent, body } } as const;
    return oneAnswer("Content-Length too small", bytes, answer, { ending: "ends", rest: true });
  },
  (dice, request) => {
    const long = request.body.length + dice.pick([1, 2, 100, 100_000, 900_000]);
    const bytes = withHeaders(request, [["Content-Length", String(long)]]);
    return oneAnswer("Content-Length too large", bytes, { kind: "silent" }, { ending: dice.pick(["ends", "resets"]) });
  },
  (dice, request) => {
    const length = dice.pick([MAX_BODY_BYTES + 1, 2 ** 31, 2 ** 32, 999_999_999_999_999]);
    const bytes = withHeaders(request, [["Content-Length", String(length)]]);
    return oneAnswer(
      "Content-Length beyond the limit",
      bytes,
      { kind: "refused", statuses: [413] },
      { ending: "ends" },
    );
  },
  (dice, request) => {
    const length = dice.pick(NO_LENGTHS);
    const bytes = withHeaders(request, [["Content-Length", length]]);
    return oneAnswer(`Content-Length '${length}'`, bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const length = String(request.body.length);
    const second = dice.oneIn(2) ? length : String(request.body.length + 1);
    const bytes = withHeaders(request, [
      ["Content-Length", length],
      [dice.pick(["Content-Length", "content-length"]), second],
    ]);
    return oneAnswer("two of Content-Length", bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const both: Header[] = [
      ["Content-Length", String(request.body.length)],
      ["Transfer-Encoding", "chunked"],
    ];
    const bytes = withHeaders(request, dice.oneIn(2) ? both : both.reverse());
    return oneAnswer("Content-Length and Transfer-Encoding", bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const encoding = dice.pick(["identity", "gzip", "chunked, gzip", "xchunked", ""]);
    const bytes = Buffer.concat([
      head(request.target, [...request.headers, ["Transfer-Encoding", encoding]]),
      chunks(dice, request.body),
    ]);
    return oneAnswer(`Transfer-Encoding '${encoding}'`, bytes, { kind: "refused" }, { rest: true });
  },
  (dice, request) => {
    const { body, headers, target } = request;
    const json = Number(headers.find(([name]) => name === JSON_LENGTH)?.[1] ?? body.length);
    const off = [
      json - 1,
      json + 1,
      body.length + 1,
      -1,
      2 ** 32,
      2 ** 53,
      "1e3",
      "0x10",
      "",
      "+1",
      `${json}, ${json}`,
    ];
    const length = String(dice.pick(off));
    const lengths: Header[] = [[JSON_LENGTH, length]];
    if (dice.oneIn(4)) lengths.push([JSON_LENGTH, String(json)]);
    const bytes = framed({ target, headers: lengths, body });
    const read = lengths.length === 1 && /^\d+$/.test(length) ? Number(length) : undefined;
    const answer: Expectation =
      read === 0 || read === undefined || read > body.length
        ? { kind: read === 0 ? "either" : "refused", sent: { model: modelOf(target), body, jsonLength: 0 } }
        : { kind: "either", sent: { model: modelOf(target), body, jsonLength: read } };
    return oneAnswer(`JSON of ${lengths.map(([, value]) => value).join(" and ")} bytes`, bytes, answer);
  },
];

export function modelOf(target: string): string {
  return decodeURIComponent(target.split("/")[3] ?? "");
}
