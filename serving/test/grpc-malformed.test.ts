import { expect, test } from "vitest";
import { readInferRequest } from "../src/grpc/infer/request.ts";
import { readInferRequestMessage } from "../src/grpc/infer/request-message.ts";
import { ProtocolError } from "../src/protocol/error.ts";
import { GrpcPeer, refusalOf } from "./grpc-peer.ts";
import { additionModel } from "./onnx-file.ts";
import { random32 } from "./random.ts";
import { requestLimits } from "./request-limits.ts";
import { TestCatalog } from "./test-catalog.ts";

const signature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [-1, 2] },
    { name: "s", datatype: "BYTES", shape: [-1] },
    { name: "i", datatype: "INT16", shape: [-1] },
  ],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1] }],
} as const;

/** How bytes are refused; "" when they are not. */
function refusal(bytes: Buffer): string {
  try {
    readInferRequest(readInferRequestMessage(bytes, 256), signature, requestLimits().bytesElements);
    return "";
  } catch (error) {
    if (error instanceof ProtocolError && error.status === 400) return error.message;
    throw error;
  }
}

const text = (number: number, value: string) => field(number, Buffer.from(value));
const floats = Buffer.from(new Float32Array([1, 2]).buffer);
const typed = Buffer.concat([
  text(1, "m"),
  text(3, "id"),
  field(4, text(1, "timeout"), field(2, Buffer.from([0x10, 9]))),
  field(5, text(1, "x"), text(2, "FP32"), field(3, Buffer.from([1, 2])), field(5, field(6, floats))),
  field(5, text(1, "s"), text(2, "BYTES"), field(3, Buffer.from([2])), field(5, text(8, "ab"), text(8, "é"))),
  field(5, text(1, "i"), text(2, "INT16"), field(3, Buffer.from([2])), field(5, field(2, Buffer.from([5, 0x80, 1])))),
  field(6, text(1, "y")),
]);
const raw = Buffer.concat([
  text(1, "m"),
  field(5, text(1, "x"), text(2, "FP32"), field(3, Buffer.from([1, 2]))),
  field(5, text(1, "s"), text(2, "BYTES"), field(3, Buffer.from([1]))),
  field(5, text(1, "i"), text(2, "INT16"), field(3, Buffer.from([2]))),
  field(7, floats),
  field(7, Buffer.from([1, 0, 0, 0, 65])),
  field(7, Buffer.from([1, 0, 2, 0])),
]);

test("what the fuzzing starts from is accepted", () => {
  expect([refusal(typed), refusal(raw)]).toEqual(["", ""]);
});

const malformed: readonly (readonly [string, readonly number[], string])[] = [
  ["a length beyond the end", [0x0a, 100, 1], "field 1 claims 100 bytes, but 1 follow"],
  ["a length of 2^35", [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 1], "claims 34359738368 bytes, but 0 follow"],
  ["a number that ends too early", [0x2a, 2, 0x18, 0x80], "it ends within a number"],
  ["a number of eleven bytes", [...Array(11).fill(0x80), 0], "a number has more than 10 bytes"],
  ["field number 0", [0x00, 0], "a field has no valid number"],
  ["a field number of 33 bits", [0x88, 0x80, 0x80, 0x80, 0x80, 1, 0], "a field has no valid number"],
  ["an unknown wire type", [0x0f], "has wire type 7"],
  ["a text as a number", [0x08, 1], "field 1 has wire type 0, expected 2"],
  ["a name that is not UTF-8", [0x0a, 1, 0xff], "field 1 is not valid UTF-8"],
  ["a group that stays open", [0xf3, 1, 0x08, 1], "it ends within a group"],
  ["a group that another ends", [0xf3, 1, 0x0c], "a group ends that was not open"],
  ["groups within groups", Array(200).fill([0xf3, 1]).flat(), "its groups are nested too deeply"],
  ["an unknown field cut short", [0xf9, 1, 1, 2], "field 31 needs 8 bytes, but the message ends"],
  [
    "floats cut short",
    [...field(5, text(1, "x"), text(2, "FP32"), field(3, Buffer.from([1, 2])), field(5, text(6, "abc")))],
    "3 bytes are no whole number of FP32",
  ],
];
test.each(malformed)("%s is refused in words", (_, bytes, message) => {
  expect(refusal(Buffer.from(bytes))).toContain(message);
});

test("a number of ten bytes and a group that is unknown are passed over", () => {
  const group = [0xf3, 1, 0x08, 1, 0xf4, 1];
  const negative = [0xf8, 1, ...Array(9).fill(0xff), 1];
  expect(refusal(Buffer.from([...group, ...negative, ...typed]))).toBe("");
});

test("entries without content are limited, since each takes far more memory than bytes", () => {
  for (const [tag, name] of [
    [0x2a, "inputs"],
    [0x32, "outputs"],
    [0x3a, "raw_input_contents"],
  ] as const) {
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index % 2 === 0 ? tag : 0)));
    expect(refusal(bytes)).toBe(`'${name}' holds more than 256 entries, the limit of this server`);
  }
});

test("whatever is changed in a request, it is read or refused, never more", () => {
  const random = generator(20_261_124);
  let refused = 0;
  for (let round = 0; round < 30_000; round++)
    if (refusal(mutate(round % 2 === 0 ? typed : raw, random)) !== "") refused++;
  expect(refused).toBeGreaterThan(10_000);
});

test("a server answers thousands of broken messages and still serves", async () => {
  const { catalog } = await TestCatalog.started({ "m/1/model.onnx": additionModel([1, 2]) });
  const client = await GrpcPeer.start({ catalog });
  const input = field(5, text(1, "x"), text(2, "FP32"), field(3, Buffer.from([2])), field(5, field(6, floats)));
  const whole = Buffer.concat([text(1, "m"), input]);
  const random = generator(4);
  const ends = new Map<string, number>();
  for (let round = 0; round < 40; round++) {
    const calls = Array.from({ length: 50 }, () => refusalOf(client.send("ModelInfer", mutate(whole, random))));
    for (const end of await Promise.all(calls)) {
      const [code = ""] = end.split(":", 1);
      ends.set(code, (ends.get(code) ?? 0) + 1);
    }
  }
  expect([...ends.keys()].sort()).toEqual(["INVALID_ARGUMENT", "NOT_FOUND", "OK"]);
  for (const method of ["ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics", "RepositoryIndex"]) {
    expect(await refusalOf(client.send(method, Buffer.from([0x0a, 100])))).toMatch(/^INVALID_ARGUMENT: the message is/);
  }
  expect(await refusalOf(client.send("ModelInfer", whole))).toBe("OK");
  expect(client.log.messages("error")).toEqual([]);
});

/** Flips, cuts, repeats and inserts bytes. */
function mutate(whole: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(whole);
  const at = Math.floor(random() * bytes.length);
  const byte = Math.floor(random() * 256);
  switch (Math.floor(random() * 5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte, byte]), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    case 3:
      return bytes.fill(byte, at, Math.min(at + 4, bytes.length));
    default:
      bytes[at] = byte;
      return bytes;
  }
}

/** Numbers from 0 to 1, the same each time. */
function generator(seed: number): () => number {
  const draw = random32(seed);
  return () => draw() / 2 ** 32;
}

/** A field of at most 127 bytes. */
function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
