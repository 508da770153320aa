import { DATATYPES } from "../../src/tensor/tensor.ts";
import { ALLOWING_EMPTY, repositoryFiles } from "../conformance/models.ts";
import { type ElementType, identityModel } from "../onnx-file.ts";

/** One input of a model; the output that gives it back is named after it. */
export interface Port {
  readonly name: string;
  readonly datatype: ElementType;
}

interface ModelUnderTest {
  readonly ports: readonly Port[];
  /** Undefined: any. */
  readonly rank: number | undefined;
}

/** Models that give back what they get, by name. */
export const MODELS: ReadonlyMap<string, ModelUnderTest> = new Map<string, ModelUnderTest>([
  ...DATATYPES.map((datatype): [string, ModelUnderTest] => [
    `identity-${datatype.toLowerCase()}`,
    { ports: [x(datatype)], rank: 2 },
  ]),
  ...DATATYPES.map((datatype): [string, ModelUnderTest] => [
    `row-${datatype.toLowerCase()}`,
    { ports: [x(datatype)], rank: 1 },
  ]),
  ["identity", { ports: DATATYPES.map((type) => ({ name: type.toLowerCase(), datatype: type })), rank: 2 }],
  ["scalar", { ports: [x("FP32")], rank: 0 }],
  ["any", { ports: [x("FP32")], rank: undefined }],
]);

function x(datatype: ElementType): Port {
  return { name: "x", datatype };
}

/** The repository with these models. */
export function fuzzRepository(): Readonly<Record<string, Buffer>> {
  const rows = DATATYPES.map((type) => [
    `row-${type.toLowerCase()}/1/model.onnx`,
    identityModel([{ name: "x", type, shape: ["n"] }]),
  ]);
  return {
    ...repositoryFiles(),
    ...Object.fromEntries(rows),
    "any/1/model.onnx": identityModel([{ name: "x", type: "FP32" }]),
    // What is read and written without an element is a case of its own.
    ...Object.fromEntries([...MODELS.keys()].map((name) => [`${name}/config.json`, ALLOWING_EMPTY])),
  };
}
