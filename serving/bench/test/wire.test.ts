import { expect, it } from "vitest";
import type { Sample, Tensor } from "../samples.ts";
import { faultOf } from "../wire/answer.ts";
import { buffersOf, lengthDelimited, numbersOf, packedVarints, readFields } from "../wire/protobuf.ts";
import { requestOf } from "../wire/request.ts";

const floats = (name: string, values: readonly number[]): Tensor => ({
  name,
  datatype: "FP32",
  shape: [1, values.length],
  bytes: Buffer.from(Float32Array.from(values).buffer),
});

const sample: Sample = {
  model: "m",
  repository: "/nowhere",
  inputs: [floats("x", [0.5, 300])],
  outputs: [floats("y", [0.25, 4])],
};
const output = { name: "y", datatype: "FP32", shape: [1, 2] };
const json = (data: unknown) => ({ body: Buffer.from(JSON.stringify({ outputs: [{ ...output, data }] })) });

it("writes the protocol's JSON", () => {
  const { path, body } = requestOf(sample, "json");
  expect(path).toBe("/v2/models/m/infer");
  expect(JSON.parse(body.toString())).toEqual({
    id: "1",
    inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [0.5, 300] }],
  });
});

it("writes binary tensors after a JSON whose length the header says", () => {
  const { headers, body } = requestOf(sample, "binary");
  const length = Number(headers["Inference-Header-Content-Length"]);
  expect(JSON.parse(body.toString("utf8", 0, length)).inputs[0].parameters).toEqual({ binary_data_size: 8 });
  expect(body.subarray(length)).toEqual(sample.inputs[0]?.bytes);
});

it("writes a gRPC message whose fields are those of the protocol", () => {
  const message = readFields(requestOf(sample, "grpc").body);
  const input = readFields(buffersOf(message, 5)[0] ?? Buffer.alloc(0));
  expect(buffersOf(message, 1).map(String)).toEqual(["m"]);
  expect([1, 2].map((field) => buffersOf(input, field)[0]?.toString())).toEqual(["x", "FP32"]);
  expect(numbersOf(input, 3)).toEqual([1, 2]);
  expect(buffersOf(message, 7)).toEqual([sample.inputs[0]?.bytes]);
});

it("carries numbers of any size through a message", () => {
  const numbers = [0, 1, 127, 128, 300, 150_528, 2 ** 40];
  expect(numbersOf(readFields(packedVarints(3, numbers)), 3)).toEqual(numbers);
});

it("takes the right answer in each way it may be written", () => {
  const bytes = Buffer.from(Float32Array.from([0.25, 4]).buffer);
  const head = Buffer.from(JSON.stringify({ outputs: [{ ...output, parameters: { binary_data_size: 8 } }] }));
  const named = [lengthDelimited(1, "y"), lengthDelimited(2, "FP32"), packedVarints(3, [1, 2])];
  const raw = Buffer.concat([lengthDelimited(5, ...named), lengthDelimited(6, bytes)]);
  const typed = lengthDelimited(5, ...named, lengthDelimited(5, lengthDelimited(6, bytes)));
  expect(faultOf(sample, "json", json([0.25, 4]))).toBeUndefined();
  expect(faultOf(sample, "json", json([[0.25, 4]]))).toBeUndefined();
  expect(faultOf(sample, "binary", { body: Buffer.concat([head, bytes]), jsonLength: head.length })).toBeUndefined();
  expect(faultOf(sample, "grpc", { body: raw })).toBeUndefined();
  expect(faultOf(sample, "grpc", { body: typed })).toBeUndefined();
  expect(faultOf(sample, "raw", { body: bytes })).toBeUndefined();
});

it("says what is wrong with a wrong answer", () => {
  expect(faultOf(sample, "json", json([0.25, 5]))).toBe("output 'y'[1] is 5, not 4");
  expect(faultOf(sample, "json", json([0.25]))).toBe("output 'y' has 1 elements, not 2");
  expect(faultOf(sample, "json", { body: Buffer.from('{"outputs":[]}') })).toBe("output 'y' is missing");
  expect(faultOf(sample, "json", { body: Buffer.from("oops") })).toMatch("cannot be read");
  expect(faultOf(sample, "grpc", { body: Buffer.from([0x2a, 0x50]) })).toMatch("cannot be read");
});
