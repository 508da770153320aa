import { DATATYPES } from "../../src/tensor/tensor.ts";
import { type ElementType, identityModel, onnxFile, type Value } from "../onnx-file.ts";

const open = (name: string, type: ElementType): Value => ({ name, type, shape: [`${name}_rows`, `${name}_columns`] });

/** A model's `config.json` with which it takes tensors without elements. */
export const ALLOWING_EMPTY = Buffer.from('{"emptyTensors": true}');

/** Gives `sum` and `difference` of rows `a` and `b` of four numbers. */
function arithmeticModel(): Buffer {
  const value = (name: string): Value => ({ name, type: "FP32", shape: ["rows", 4] });
  return onnxFile({
    nodes: [
      { operator: "Add", inputs: ["a", "b"], outputs: ["sum"] },
      { operator: "Sub", inputs: ["a", "b"], outputs: ["difference"] },
    ],
    inputs: [value("a"), value("b")],
    outputs: [value("sum"), value("difference")],
  });
}

/** Copies a scalar, so that its shape is `[]`. */
function scalarModel(): Buffer {
  return identityModel([{ name: "x", type: "FP32", shape: [] }]);
}

/**
 * A model repository for clients: `identity` with one input of each datatype, `identity-<datatype>` with one alone, which
 * may be empty, `arithmetic` in two versions, `scalar`.
 */
export function repositoryFiles(): Readonly<Record<string, Buffer>> {
  const alone = DATATYPES.flatMap((type) => [
    [`identity-${type.toLowerCase()}/1/model.onnx`, identityModel([open("x", type)])],
    [`identity-${type.toLowerCase()}/config.json`, ALLOWING_EMPTY],
  ]);
  return {
    ...Object.fromEntries(alone),
    "identity/1/model.onnx": identityModel(DATATYPES.map((type) => open(type.toLowerCase(), type))),
    "arithmetic/1/model.onnx": arithmeticModel(),
    "arithmetic/2/model.onnx": arithmeticModel(),
    "scalar/1/model.onnx": scalarModel(),
  };
}
