import type { Dice } from "./dice.ts";
import { framed, type HttpRequest, httpRequest, JSON_LENGTH, rawRequest, restRequest } from "./http-request.ts";
import { inference, rawInference } from "./inference.ts";
import { oddSpaces, write } from "./json-text.ts";
import { ENCODINGS, type Transport } from "./mutate-encoding.ts";
import { EXCHANGES } from "./mutate-exchange.ts";
import { FRAMINGS, modelOf } from "./mutate-framing.ts";
import { CHANGES } from "./mutate-json.ts";
import type { Sent } from "./reference.ts";
import { oneAnswer, type RestCase } from "./rest-case.ts";

/** A valid request in any of the forms of REST. */
export function validRequest(dice: Dice): HttpRequest {
  if (dice.oneIn(6)) return rawRequest(rawInference(dice));
  const request = restRequest(dice, inference(dice));
  return httpRequest(request, write(request.json, dice.oneIn(5) ? oddSpaces(dice) : undefined));
}

export function sentOf({ target, headers, body }: HttpRequest): Sent {
  const length = headers.find(([name]) => name === JSON_LENGTH)?.[1];
  return { model: modelOf(target), body, jsonLength: length === undefined ? undefined : Number(length) };
}

/** A valid request and the only answer to it. */
export function validCase(dice: Dice): RestCase {
  const request = validRequest(dice);
  return oneAnswer("valid", framed(request), { kind: "answered", sent: sentOf(request) });
}

/** Whatever chance makes of a valid request. */
export function restCase(dice: Dice): RestCase {
  const kind = dice.below(20);
  if (kind < 8) return changedJson(dice);
  if (kind < 10) return changedBinary(dice);
  if (kind < 13) return changedBytes(dice);
  const transports: readonly (readonly Transport[])[] = [ENCODINGS, FRAMINGS, EXCHANGES];
  const make = dice.pick(transports[kind % 3] as readonly Transport[]);
  const request = validRequest(dice);
  return make(dice, request, sentOf(request));
}

function changedJson(dice: Dice): RestCase {
  const valid = restRequest(dice, inference(dice));
  const changes = Array.from({ length: dice.pick([1, 1, 1, 2, 3]) }, () => dice.pick(CHANGES));
  // Changes may share what they put in: each works on a copy of its own.
  let request = structuredClone(valid);
  for (const change of changes) {
    // An earlier change may have left nothing for this one to change.
    if (!("members" in request.json)) break;
    try {
      change.apply(dice, request);
    } catch (error) {
      if (changes.length === 1) throw error;
    }
    request = structuredClone(request);
  }
  const text = write(request.json, dice.oneIn(5) ? oddSpaces(dice) : undefined);
  const { body, ...rest } = httpRequest(request, text);
  // Bytes that are not UTF-8, somewhere in the text.
  const at = dice.below(Math.max(1, text.length - 3));
  const isBroken = dice.oneIn(12);
  if (isBroken) body.set(dice.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2], [0]]), at);
  const sent = sentOf({ body, ...rest });
  const [only] = changes;
  const kind = changes.length === 1 && only !== undefined && !isBroken ? only.kind : "either";
  return oneAnswer(changes.map(({ name }) => name).join(", "), framed({ body, ...rest }), { kind, sent });
}

/** Changes what follows the JSON, or the data that is all there is. */
function changedBinary(dice: Dice): RestCase {
  const request = dice.oneIn(3) ? rawRequest(rawInference(dice)) : httpRequest(restRequest(dice, inference(dice)));
  const { jsonLength = request.body.length } = sentOf(request);
  const json = request.body.subarray(0, jsonLength);
  const binary = request.body.subarray(jsonLength);
  const lengths = [0, 1, 3, 0x7fffffff, 0xffffffff, binary.length];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(dice.pick(lengths));
  const changed = dice.pick([
    Buffer.concat([binary, dice.bytes(dice.between(1, 9))]),
    binary.subarray(0, dice.below(binary.length + 1)),
    binary.subarray(dice.below(binary.length + 1)),
    Buffer.concat([binary, binary]),
    Buffer.concat([length, binary.subarray(4)]),
    Buffer.concat([binary, length]),
    dice.bytes(binary.length),
    Buffer.alloc(binary.length, 0xff),
    Buffer.alloc(0),
  ]);
  const whole = { ...request, body: Buffer.concat([json, changed]) };
  return oneAnswer("other binary data", framed(whole), { kind: "either", sent: sentOf(whole) });
}

/** Flips bits, and puts in, takes out and repeats bytes, anywhere. */
function changedBytes(dice: Dice): RestCase {
  const whole = framed(validRequest(dice));
  let bytes = whole;
  const framing = whole.indexOf("\r\nContent-Length: ");
  let isFramed = true;
  for (let times = dice.pick([1, 1, 2, 4]); times > 0; times--) {
    // Not at 0: to repeat all of it would be a second good request.
    const at = dice.between(1, bytes.length - 1);
    const kept = bytes;
    switch (dice.below(4)) {
      case 0:
        bytes = Buffer.concat([kept.subarray(0, at), dice.bytes(1), kept.subarray(at)]);
        break;
      case 1:
        bytes = Buffer.concat([kept.subarray(0, at), kept.subarray(at + 1)]);
        break;
      case 2:
        bytes = Buffer.concat([kept.subarray(0, at), kept.subarray(at + dice.below(8)), kept.subarray(at)]);
        break;
      default:
        bytes = Buffer.from(kept);
        bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
        continue;
    }
    isFramed = false;
  }
  // Nothing else says where it ends, and a flipped bit or two elsewhere cannot say that it ends at another place.
  const line = whole.subarray(framing, whole.indexOf("\r\n\r\n") + 4);
  isFramed &&= bytes.subarray(framing).indexOf(line) === 0;
  const sent = sentOfBytes(bytes);
  return oneAnswer(
    "other bytes",
    bytes,
    { kind: isFramed ? "either" : "perhaps", sent },
    { ending: "ends", rest: true },
  );
}

/** What these bytes ask for, if they are read as they should be. */
function sentOfBytes(bytes: Buffer): Sent | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  const head = bytes.toString("latin1", 0, end);
  const header = (name: string) => new RegExp(`\\r\\n${name}: *(\\d+) *(?:\\r\\n|$)`, "i").exec(head)?.[1];
  const target = /^(?:\r\n)*POST (\S+) /.exec(head)?.[1];
  const length = header("Content-Length");
  const json = header(JSON_LENGTH);
  if (end === -1 || target === undefined) return undefined;
  const body = bytes.subarray(end + 4, end + 4 + Number(length ?? 0));
  try {
    return { model: modelOf(target), body, jsonLength: json === undefined ? undefined : Number(json) };
  } catch {
    return undefined;
  }
}
