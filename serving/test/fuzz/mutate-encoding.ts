import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Dice } from "./dice.ts";
import { type Header, type HttpRequest, head } from "./http-request.ts";
import type { Sent } from "./reference.ts";
import { oneAnswer, type RestCase } from "./rest-case.ts";
import { BOMB_BYTES, MAX_BODY_BYTES } from "./server-health.ts";

/** Makes a case of a valid request. */
export type Transport = (dice: Dice, request: HttpRequest, sent: Sent) => RestCase;

const MIB = 1024 * 1024;

/** Zeros, as many as {@link BOMB_BYTES}: half a megabyte of gzip members one after the other. */
let gzipBomb: Buffer | undefined;
let deflateBomb: Buffer | undefined;

function bombOf(encoding: string): Buffer {
  if (encoding === "deflate") {
    deflateBomb ??= deflateSync(Buffer.alloc(64 * MIB));
    return deflateBomb;
  }
  if (gzipBomb === undefined) {
    const member = gzipSync(Buffer.alloc(MIB));
    gzipBomb = Buffer.concat(
      Array(Math.min(BOMB_BYTES / MIB, Math.floor(MAX_BODY_BYTES / member.length))).fill(member),
    );
  }
  return gzipBomb;
}

function encode(encoding: string, bytes: Buffer): Buffer {
  return encoding === "deflate" ? deflateSync(bytes) : gzipSync(bytes);
}

function post({ target, headers }: HttpRequest, more: readonly Header[], body: Buffer): Buffer {
  return Buffer.concat([head(target, [...headers, ...more, ["Content-Length", String(body.length)]]), body]);
}

/** A body in chunks, as RFC 9112 has them in section 7.1. */
export function chunks(dice: Dice, body: Buffer): Buffer {
  const parts = dice.pieces(body, 6).filter(({ length }) => length > 0);
  const extension = () => dice.pick(["", "", ";a", ';a="b;c"']);
  const chunk = (part: Buffer) => {
    const size = part.length.toString(16);
    return [`${dice.oneIn(2) ? size.toUpperCase() : size}${extension()}\r\n`, part, "\r\n"];
  };
  const trailer = dice.oneIn(3) ? "A: b\r\n" : "";
  const all = [...parts.flatMap(chunk), `0${extension()}\r\n${trailer}\r\n`];
  return Buffer.concat(all.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

export const ENCODINGS: readonly Transport[] = [
  (dice, request, sent) => {
    const encoding = dice.pick(["gzip", "deflate", "x-gzip", "GZIP", "Deflate"]);
    const body = encode(encoding.toLowerCase(), request.body);
    return oneAnswer(encoding, post(request, [["Content-Encoding", encoding]], body), { kind: "answered", sent });
  },
  (dice, request, sent) => {
    const encoding = dice.pick(["gzip", "deflate"]);
    const bytes = Buffer.concat([
      head(request.target, [...request.headers, ["Content-Encoding", encoding], ["Transfer-Encoding", "chunked"]]),
      chunks(dice, encode(encoding, request.body)),
    ]);
    return oneAnswer(`${encoding} in chunks`, bytes, { kind: "answered", sent });
  },
  (_, request, sent) =>
    oneAnswer("identity", post(request, [["Content-Encoding", "identity"]], request.body), { kind: "answered", sent }),
  (dice, request) => {
    const encoding = dice.pick(["br", "zstd", "compress", "gzip, gzip", "gzip,deflate", "x", "", "*", "gzip;q=1"]);
    const bytes = post(request, [["Content-Encoding", encoding]], brotliCompressSync(request.body));
    return oneAnswer(`encoding '${encoding}'`, bytes, { kind: "refused", statuses: [400, 415] });
  },
  (dice, request, sent) => {
    const encoding = dice.pick(["gzip", "deflate"]);
    const body = encode(encoding, request.body);
    for (let times = dice.between(1, 3); times > 0; times--) body[dice.below(body.length)] = dice.below(256);
    return oneAnswer(`corrupt ${encoding}`, post(request, [["Content-Encoding", encoding]], body), {
      kind: "either",
      sent,
    });
  },
  (dice, request) => {
    const encoding = dice.pick(["gzip", "deflate"]);
    const body = encode(encoding, request.body);
    const cut = body.subarray(0, dice.between(1, body.length - 1));
    return oneAnswer(`${encoding} cut short`, post(request, [["Content-Encoding", encoding]], cut), {
      kind: "refused",
    });
  },
  (dice, request) => {
    const body = dice.pick([Buffer.alloc(0), request.body, deflateRawSync(request.body), dice.bytes(50)]);
    return oneAnswer("no gzip", post(request, [["Content-Encoding", "gzip"]], body), { kind: "refused" });
  },
  (dice, request, sent) => {
    const body = Buffer.concat([gzipSync(request.body), dice.pick([Buffer.alloc(9), dice.bytes(40), gzipSync("")])]);
    const bytes = post(request, [["Content-Encoding", "gzip"]], body);
    return oneAnswer("gzip with more behind it", bytes, { kind: "either", sent });
  },
  (dice, request) => {
    const encoding = dice.pick(["gzip", "deflate"]);
    const bytes = post(request, [["Content-Encoding", encoding]], bombOf(encoding));
    return oneAnswer(`a ${encoding} bomb`, bytes, { kind: "refused", statuses: [413] });
  },
  (_, request) => {
    const bomb = bombOf("gzip");
    const chunked: readonly Header[] = [
      ["Content-Encoding", "gzip"],
      ["Transfer-Encoding", "chunked"],
    ];
    const bytes = Buffer.concat([
      head(request.target, [...request.headers, ...chunked]),
      Buffer.from(`${bomb.length.toString(16)}\r\n`),
      bomb,
      Buffer.from("\r\n0\r\n\r\n"),
    ]);
    return oneAnswer("a gzip bomb in a chunk", bytes, { kind: "refused", statuses: [413] });
  },
];
