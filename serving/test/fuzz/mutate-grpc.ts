import type { Dice } from "./dice.ts";
import { encodeRequest, type RequestMessage, requestMessage, type TensorMessage } from "./grpc-message.ts";
import { inference } from "./inference.ts";

/** A message, and how the call that carries it may end. */
export interface GrpcCase {
  readonly label: string;
  readonly message: Buffer;
  readonly kind: "answered" | "refused" | "either";
}

interface Change {
  readonly name: string;
  readonly kind: GrpcCase["kind"];
  apply(dice: Dice, message: RequestMessage, input: TensorMessage): void;
}

const NAMES = ["", "X", "no such", "x\0", "é", "y".repeat(20_000), "__proto__", "\u{1f642}"];
const NUMBERS = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993", "4294967296"];

function refused(name: string, apply: Change["apply"]): Change {
  return { name, kind: "refused", apply };
}

function any(name: string, apply: Change["apply"]): Change {
  return { name, kind: "either", apply };
}

const CHANGES: readonly Change[] = [
  refused("an unknown model", (dice, message) => {
    message.model_name = dice.pick(NAMES);
  }),
  refused("an unknown version", (dice, message) => {
    message.model_version = dice.pick(["0", "2", "x", "-1", "01", "1".repeat(9_000)]);
  }),
  refused("an unknown input", (dice, _, input) => {
    input.name = dice.pick(NAMES);
  }),
  refused("another datatype", (dice, _, input) => {
    input.datatype = dice.pick(["", "FP31", input.datatype === "INT8" ? "UINT8" : "INT8", "x".repeat(9_000)]);
  }),
  refused("an input twice", (_, message, input) => void message.inputs.push(input)),
  refused("no input", (_, message) => void message.inputs.splice(0)),
  refused("a thousand inputs", (_, message, { name, datatype }) => {
    message.inputs.push(...Array(1_000).fill({ name, datatype, shape: [] }));
  }),
  refused("an output that the model lacks", (dice, message) => {
    message.outputs = [{ name: dice.pick(NAMES) }];
  }),
  refused("an output twice", (_, message) => {
    message.outputs = [{ name: "x_out" }, { name: "x_out" }];
  }),
  refused("a negative dimension", (dice, _, input) => {
    input.shape.splice(0, 1, dice.pick(["-1", "-9223372036854775808", "-2"]));
  }),
  refused("a shape of thousands of dimensions", (dice, _, input) => {
    input.shape = Array(dice.pick([33, 1_024, 50_000])).fill(1);
  }),
  refused("one piece of raw data more", (_, message) => {
    message.raw_input_contents = [...(message.raw_input_contents ?? []), ...message.inputs.map(() => Buffer.alloc(3))];
    if (message.inputs[0]?.contents === undefined) return;
    message.inputs[0].contents = { fp64_contents: [1], bool_contents: [true] };
  }),
  refused("a timeout that is none", (dice, message) => {
    const values = [
      { string_param: "1" },
      { bool_param: true },
      { int64_param: "-1" },
      { double_param: Number.NaN },
      {},
    ];
    message.parameters = { timeout: dice.pick<object>(values) };
  }),
  refused("classification", (_, message, input) => {
    const parameters = { classification: { int64_param: 3 } };
    if (message.outputs?.[0] !== undefined) message.outputs[0].parameters = parameters;
    else input.parameters = parameters;
  }),
  any("a short timeout", (dice, message) => {
    const values = [{ int64_param: 1 }, { double_param: 1e-300 }, { uint64_param: 1 }, { double_param: 1e300 }];
    message.parameters = { timeout: dice.pick<object>(values) };
  }),
  any("another dimension", (dice, _, input) => {
    if (input.shape.length > 0) input.shape[dice.below(input.shape.length)] = dice.pick(NUMBERS);
  }),
  any("an element more or less", (dice, _, input) => {
    for (const values of Object.values(input.contents ?? {})) {
      if (dice.oneIn(2)) values.pop();
      else values.push(...values.slice(0, 1));
    }
  }),
  any("other elements", (dice, _, input) => {
    const others: Record<string, unknown[]>[] = [
      { bool_contents: [true] },
      { int_contents: [-(2 ** 31), 2 ** 31 - 1] },
      { int64_contents: NUMBERS.slice(0, 3) },
      { uint_contents: [2 ** 32 - 1] },
      { fp32_contents: [Number.NaN, 1e30] },
      { bytes_contents: [Buffer.from([0xff]), Buffer.from([0]), Buffer.alloc(0)] },
    ];
    const contents = dice.pick(others);
    input.contents = dice.oneIn(2) ? contents : { ...input.contents, ...contents };
    input.shape = input.shape.map((_size, index) => (index === 0 ? (Object.values(contents)[0]?.length ?? 0) : 1));
  }),
  any("other raw data", (dice, message) => {
    const raw = message.raw_input_contents ?? [];
    const index = dice.below(raw.length + 1);
    const piece = raw[index] ?? Buffer.alloc(0);
    const random = dice.bytes(piece.length);
    raw[index] = dice.pick([random, piece.subarray(1), Buffer.concat([piece, piece]), Buffer.alloc(4, 0xff)]);
    message.raw_input_contents = raw;
  }),
  any("shared memory", (_, __, input) => {
    input.parameters = { shared_memory_region: { string_param: "x" } };
  }),
  {
    name: "a field that nobody knows",
    kind: "answered",
    apply: (dice, message) => {
      message.unknown = "x".repeat(dice.pick([1, 100, 100_000]));
      message.parameters = { nobody: { string_param: "knows it" } };
    },
  },
];

export function validMessage(dice: Dice): GrpcCase {
  return { label: "valid", message: encodeRequest(requestMessage(dice, inference(dice))), kind: "answered" };
}

/** Whatever chance makes of a valid message. */
export function grpcCase(dice: Dice): GrpcCase {
  if (dice.oneIn(3)) return changedBytes(dice);
  const message = requestMessage(dice, inference(dice));
  const change = dice.pick(CHANGES);
  change.apply(dice, message, dice.pick(message.inputs));
  return { label: change.name, message: encodeRequest(message), kind: change.kind };
}

/** Bits flipped, and bytes put in, taken out, and repeated. */
function changedBytes(dice: Dice): GrpcCase {
  let { message } = validMessage(dice);
  for (let times = dice.pick([1, 1, 2, 5]); times > 0; times--) {
    const at = dice.below(message.length);
    const [before, after] = [message.subarray(0, at), message.subarray(at)];
    message = dice.pick([
      Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << dice.below(8))]), after.subarray(1)]),
      Buffer.concat([before, dice.bytes(1), after]),
      Buffer.concat([before, after.subarray(dice.between(1, 8))]),
      Buffer.concat([before, after, after]),
      Buffer.concat([before, Buffer.alloc(dice.pick([1, 12, 300]), dice.pick([0x0b, 0x80, 0xff, 0x5b])), after]),
      before,
    ]);
  }
  return { label: "other bytes", message, kind: "either" };
}
