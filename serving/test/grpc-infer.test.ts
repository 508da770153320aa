import { describe, expect, test } from "vitest";
import { elementSize, type FixedDatatype, viewNumeric } from "../src/tensor/tensor.ts";
import { GrpcPeer, type Message } from "./grpc-peer.ts";
import { type ElementType, identityModel, onnxFile } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

/** Each datatype, the field of its typed contents, and values at the ends of its range. */
const CASES: readonly { readonly type: ElementType; readonly field?: string; readonly values: readonly unknown[] }[] = [
  { type: "BOOL", field: "bool_contents", values: [true, false, true] },
  { type: "UINT8", field: "uint_contents", values: [0, 1, 255] },
  { type: "UINT16", field: "uint_contents", values: [0, 128, 65_535] },
  { type: "UINT32", field: "uint_contents", values: [0, 300, 4_294_967_295] },
  { type: "UINT64", field: "uint64_contents", values: ["0", "9007199254740993", "18446744073709551615"] },
  { type: "INT8", field: "int_contents", values: [-128, -1, 127] },
  { type: "INT16", field: "int_contents", values: [-32_768, 0, 32_767] },
  { type: "INT32", field: "int_contents", values: [-2_147_483_648, -1, 2_147_483_647] },
  {
    type: "INT64",
    field: "int64_contents",
    values: ["-9223372036854775808", "-1", "9223372036854775807", "9007199254740993", "127", "128"],
  },
  { type: "FP32", field: "fp32_contents", values: [-0.5, 3.4028234663852886e38, Number.NaN, Number.NEGATIVE_INFINITY] },
  { type: "FP64", field: "fp64_contents", values: [0.1, Number.MAX_VALUE, Number.POSITIVE_INFINITY] },
];

const all = [...CASES.map(({ type }) => type), "FP16", "BYTES"] as const;
const models = Object.fromEntries(
  all.map((type) => [`${type}/1/model.onnx`, identityModel([{ name: "x", type, shape: ["n"] }])]),
);

async function peer(files: Readonly<Record<string, Buffer>> = models): Promise<GrpcPeer> {
  return GrpcPeer.start({ catalog: (await TestCatalog.started(files)).catalog });
}

function outputOf(answer: Message): Message {
  const [output] = answer.outputs as readonly Message[];
  if (output === undefined) throw new Error("no output");
  return output;
}

function contentsOf(answer: Message, field: string): unknown {
  return (outputOf(answer).contents as Message)[field];
}

describe("typed contents", () => {
  test.each(CASES)("$type goes and comes without losing a bit", async ({ type, field = "", values }) => {
    const client = await peer();
    const shape = [values.length];
    const input = { name: "x", datatype: type, shape, contents: { [field]: values } };
    const answer = await client.call("ModelInfer", { model_name: type, inputs: [input] });
    expect(contentsOf(answer, field)).toEqual(values);
    expect(answer.raw_output_contents).toEqual([]);
    expect(outputOf(answer)).toMatchObject({ name: "x_out", datatype: type, shape: [String(values.length)] });
  });

  test("BYTES are text in UTF-8", async () => {
    const client = await peer();
    const values = ["", "plain", "grüße 🎉"].map((text) => Buffer.from(text));
    const input = { name: "x", datatype: "BYTES", shape: [3], contents: { bytes_contents: values } };
    const answer = await client.call("ModelInfer", { model_name: "BYTES", inputs: [input] });
    expect(contentsOf(answer, "bytes_contents")).toEqual(values);
  });

  test("an answer with FP16 in it comes raw, since FP16 has no typed contents", async () => {
    const half = { name: "h", type: "FP16", shape: ["n"] } as const;
    const single = { name: "s", type: "FP32", shape: ["n"] } as const;
    const client = await peer({
      "m/1/model.onnx": identityModel([half, single]),
      "m/config.json": Buffer.from('{"emptyTensors": true}'),
    });
    const typed = { name: "s", datatype: "FP32", shape: [1], contents: { fp32_contents: [1] } };
    const empty = { name: "h", datatype: "FP16", shape: [0] };
    const answer = await client.call("ModelInfer", { model_name: "m", inputs: [typed, empty] });
    expect(answer.raw_output_contents).toEqual([Buffer.alloc(0), Buffer.from(new Float32Array([1]).buffer)]);
    expect(await client.refusal("ModelInfer", { model_name: "m", inputs: [typed, { ...empty, shape: [1] }] })).toBe(
      "INVALID_ARGUMENT: input 'h': FP16 has no typed contents, use 'raw_input_contents'",
    );
  });

  test("an empty tensor needs no contents, and the model's config.json to allow it", async () => {
    const client = await peer({ ...models, "FP32/config.json": Buffer.from('{"emptyTensors": true}') });
    const input = { name: "x", datatype: "FP32", shape: [0] };
    const answer = await client.call("ModelInfer", { model_name: "FP32", inputs: [input] });
    expect(answer.raw_output_contents).toEqual([Buffer.alloc(0)]);
    const refused = { model_name: "INT8", inputs: [{ ...input, datatype: "INT8" }] };
    for (const contents of [{}, { raw_input_contents: [Buffer.alloc(0)] }]) {
      expect(await client.refusal("ModelInfer", { ...refused, ...contents })).toContain(
        "INVALID_ARGUMENT: input 'x': 'shape' is [0], and this model takes no tensor without elements",
      );
    }
  });

  test("numbers that are not packed, or come in several parts, are the same numbers", async () => {
    const client = await peer();
    const head = (model: string) => field(1, Buffer.from(model));
    const tensor = (type: string, ...contents: Buffer[]) =>
      field(5, field(1, Buffer.from("x")), field(2, Buffer.from(type)), Buffer.from([0x18, 3]), ...contents);
    const single = (value: number) => Buffer.from(new Float32Array([value]).buffer);
    const unpacked = [1, 2, 3].map((value) => Buffer.concat([Buffer.from([0x35]), single(value)]));
    const packed = field(6, single(2), single(3));
    const split = [field(5, unpacked[0] as Buffer), field(5, packed)];
    for (const contents of [[field(5, ...unpacked)], split]) {
      const answer = await client.send("ModelInfer", Buffer.concat([head("FP32"), tensor("FP32", ...contents)]));
      expect(answer.includes(Buffer.from(new Float32Array([1, 2, 3]).buffer))).toBe(true);
    }
    const integers = field(5, Buffer.from([0x10, 5, 0x10, 6]), field(2, Buffer.from([7])));
    const answer = await client.send("ModelInfer", Buffer.concat([head("INT32"), tensor("INT32", integers)]));
    expect(answer.includes(field(2, Buffer.from([5, 6, 7])))).toBe(true);
  });

  const refusals: readonly (readonly [string, string, Message, string])[] = [
    ["too few", "FP32", { fp32_contents: [1, 2] }, "'fp32_contents' holds 2 elements, but shape [3] needs 3"],
    ["none", "FP32", {}, "'fp32_contents' holds 0 elements, but shape [3] needs 3"],
    ["another field", "FP32", { fp64_contents: [1, 2, 3] }, "'fp64_contents' is given, but FP32 is sent in 'fp32_c"],
    [
      "out of range",
      "INT8",
      { int_contents: [1, 2, 128] },
      "element 2 is another number, INT8 needs a whole number from",
    ],
    ["below 0", "INT16", { int_contents: [1, -32_769, 0] }, "element 1 is another number, INT16 needs a whole number"],
    [
      "above",
      "UINT8",
      { uint_contents: [256, 0, 0] },
      "element 0 is another number, UINT8 needs a whole number from 0",
    ],
    ["no text", "BYTES", { bytes_contents: [Buffer.of(0xff), "", ""] }, "element 0 is not UTF-8"],
    ["NUL", "BYTES", { bytes_contents: ["", Buffer.from("a\0b"), ""] }, "element 1 holds a NUL character"],
  ];
  test.each(refusals)("are refused with the input's name: %s", async (_, type, contents, message) => {
    const client = await peer();
    const input = { name: "x", datatype: type, shape: [3], contents };
    const refusal = await client.refusal("ModelInfer", { model_name: type, inputs: [input] });
    expect(refusal).toContain(`INVALID_ARGUMENT: input 'x': ${message}`);
  });
});

describe("raw contents", () => {
  test.each(all.filter((type) => type !== "BYTES"))("%s come back bit for bit", async (type) => {
    const client = await peer();
    const size = elementSize(type as FixedDatatype);
    const bytes = Buffer.from(
      Array.from({ length: size * 5 }, (_, index) => (type === "BOOL" ? index % 2 : index * 53)),
    );
    const input = { name: "x", datatype: type, shape: [5] };
    const answer = await client.call("ModelInfer", { model_name: type, inputs: [input], raw_input_contents: [bytes] });
    expect(answer.raw_output_contents).toEqual([bytes]);
    expect(outputOf(answer).contents).toBeNull();
    expect(viewNumeric(type as FixedDatatype, bytes)).toHaveLength(5);
  });

  test("BYTES carry each element's length", async () => {
    const client = await peer();
    const bytes = Buffer.concat(["", "plain", "grüße 🎉"].map(withLength));
    const input = { name: "x", datatype: "BYTES", shape: [3] };
    const request = { model_name: "BYTES", inputs: [input], raw_input_contents: [bytes] };
    expect((await client.call("ModelInfer", request)).raw_output_contents).toEqual([bytes]);
    const short = { ...request, raw_input_contents: [bytes.subarray(0, -1)] };
    expect(await client.refusal("ModelInfer", short)).toContain("input 'x': element 2 claims 12 bytes, but 11 follow");
  });

  test("are one for each input, and as many bytes as its shape needs", async () => {
    const client = await peer();
    const input = { name: "x", datatype: "FP32", shape: [2] };
    const request = { model_name: "FP32", inputs: [input] };
    const raw = (...sizes: number[]) => ({ ...request, raw_input_contents: sizes.map((size) => Buffer.alloc(size)) });
    expect(await client.refusal("ModelInfer", raw(7))).toBe(
      "INVALID_ARGUMENT: input 'x': 'raw_input_contents' has 7 bytes for it, but shape [2] needs 8 bytes of FP32",
    );
    expect(await client.refusal("ModelInfer", raw(8, 8))).toContain("has 2 entries, but 'inputs' has 1");
    const both = { ...raw(8), inputs: [{ ...input, contents: { fp32_contents: [1, 2] } }] };
    expect(await client.refusal("ModelInfer", both)).toContain("both 'contents' and 'raw_input_contents' are given");
  });
});

describe("a request", () => {
  const two = {
    "m/1/model.onnx": identityModel([
      { name: "a", type: "FP32", shape: ["n", 2] },
      { name: "b", type: "INT64", shape: ["n"] },
    ]),
  };
  const a = { name: "a", datatype: "FP32", shape: [1, 2], contents: { fp32_contents: [1, 2] } };
  const b = { name: "b", datatype: "INT64", shape: [1], contents: { int64_contents: ["3"] } };

  test("gets its id back, the outputs it names in its order, and the model's name and version", async () => {
    const client = await peer(two);
    const outputs = [{ name: "b_out" }, { name: "a_out" }];
    const answer = await client.call("ModelInfer", { model_name: "m", id: "grün-1", inputs: [b, a], outputs });
    expect(answer).toMatchObject({ model_name: "m", model_version: "1", id: "grün-1" });
    expect((answer.outputs as readonly Message[]).map(({ name }) => name)).toEqual(["b_out", "a_out"]);
    const one = await client.call("ModelInfer", { model_name: "m", inputs: [a, b], outputs: [{ name: "b_out" }] });
    expect(one.outputs).toHaveLength(1);
    expect(one.id).toBe("");
  });

  test("may hold fields and parameters that the server does not know", async () => {
    const client = await peer(two);
    const parameters = { priority: { uint64_param: "18446744073709551615" }, x: { double_param: 0.5 }, y: {} };
    const request = { model_name: "m", unknown: "field", parameters, inputs: [a, { ...b, parameters }] };
    expect((await client.call("ModelInfer", request)).outputs).toHaveLength(2);
  });

  const refusals: readonly (readonly [string, Message, string])[] = [
    ["unknown model", { model_name: "x" }, "NOT_FOUND: there is no model 'x'"],
    ["unknown version", { model_name: "m", model_version: "9" }, "NOT_FOUND: model 'm' has no version '9'"],
    ["missing input", { inputs: [a] }, "input 'b' is missing; its inputs: a FP32[-1,2], b INT64[-1]"],
    ["unknown input", { inputs: [a, b, { ...b, name: "c" }] }, "the model has no input 'c'; its inputs: a FP32"],
    ["repeated input", { inputs: [a, b, b] }, "input 'b' is there twice"],
    ["unknown output", { inputs: [a, b], outputs: [{ name: "c" }] }, "the model has no output 'c'"],
    ["repeated output", { inputs: [a, b], outputs: [{ name: "a_out" }, { name: "a_out" }] }, "'a_out' is there twice"],
    ["datatype", { inputs: [{ ...a, datatype: "FP64" }, b] }, "input 'a': 'datatype' is FP64, the model needs FP32"],
    ["shape", { inputs: [{ ...a, shape: [2] }, b] }, "input 'a': 'shape' is [2], the model needs [-1,2]"],
    [
      "negative size",
      { inputs: [{ ...a, shape: [-1, 2] }, b] },
      "input 'a': 'shape' must hold whole numbers, 0 or more",
    ],
    ["huge size", { inputs: [{ ...a, shape: ["4503599627370496", 2] }, b] }, "holds 2 elements, but shape"],
    ["beyond 2^53", { inputs: [{ ...a, shape: ["9223372036854775807", 2] }, b] }, "must hold whole numbers"],
    ["rank", { inputs: [{ ...a, shape: new Array(1100).fill(1) }, b] }, "more than 1024 dimensions"],
    [
      "shared memory",
      { inputs: [{ ...a, parameters: { shared_memory_region: {} } }, b] },
      "shared memory, which is not",
    ],
    ["classification", { inputs: [a, b], outputs: [{ name: "a_out", parameters: { classification: {} } }] }, "classif"],
    ["timeout", { inputs: [a, b], parameters: { timeout: { string_param: "1" } } }, "'timeout' must be a number of"],
  ];
  test.each(refusals)("is refused in words: %s", async (_, message, refusal) => {
    const client = await peer(two);
    const answer = await client.refusal("ModelInfer", { model_name: "m", ...message });
    if (!refusal.startsWith("NOT_FOUND")) expect(answer).toMatch(/^INVALID_ARGUMENT: /);
    expect(answer).toContain(refusal);
  });

  test("is told what the model itself cannot compute, with the runtime's words", async () => {
    // Vectors of different lengths cannot be added, which the shapes do not say.
    const vector = (name: string) => ({ name, type: "FP32", shape: [name] }) as const;
    const nodes = [{ operator: "Add", inputs: ["a", "b"], outputs: ["y"] }];
    const model = onnxFile({ nodes, inputs: [vector("a"), vector("b")], outputs: [vector("y")] });
    const client = await peer({ "m/1/model.onnx": model });
    const inputs = [2, 3].map((length, index) => ({
      name: ["a", "b"][index],
      datatype: "FP32",
      shape: [length],
      contents: { fp32_contents: Array(length).fill(1) },
    }));
    expect(await client.refusal("ModelInfer", { model_name: "m", inputs })).toMatch(
      /^INVALID_ARGUMENT: model 'm' cannot compute these inputs: .*Add/,
    );
  });
});

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A field of at most 127 bytes. */
function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
