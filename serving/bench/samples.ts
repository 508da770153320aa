import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The datatypes that the benchmark's models take and give. */
export type Datatype = "FP32" | "INT32" | "INT64";

/** One tensor, as little-endian bytes. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** A model in a repository of its own, with a request and ONNX Runtime's answer to it. */
export interface Sample {
  readonly model: string;
  /** Holds `<model>/1/model.onnx` and nothing else that looks like a model. */
  readonly repository: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export type SampleName = "digits" | "image" | "compute";

/** Reads what `models/make_models.py` wrote into a folder. */
export function readSample(folder: string, name: SampleName): Sample {
  const home = join(folder, name);
  const read = (tensor: Omit<Tensor, "bytes"> & { file: string }): Tensor => {
    const { file, ...rest } = tensor;
    return { ...rest, bytes: readFileSync(join(home, file)) };
  };
  const { model, inputs, outputs } = JSON.parse(readFileSync(join(home, "sample.json"), "utf8"));
  return { model, repository: home, inputs: inputs.map(read), outputs: outputs.map(read) };
}

/** The file of a sample's model. */
export function modelFile({ repository, model }: Sample): string {
  return join(repository, model, "1", "model.onnx");
}

const READERS = {
  FP32: (bytes: Buffer, at: number) => bytes.readFloatLE(at * 4),
  INT32: (bytes: Buffer, at: number) => bytes.readInt32LE(at * 4),
  INT64: (bytes: Buffer, at: number) => Number(bytes.readBigInt64LE(at * 8)),
} as const;

/** A tensor's elements as numbers, in row-major order. */
export function elementsOf({ datatype, shape, bytes }: Omit<Tensor, "name">): number[] {
  const count = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, index) => READERS[datatype](bytes, index));
}
