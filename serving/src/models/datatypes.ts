import type { Datatype } from "../protocol/tensor.ts";
import type { RuntimeTensor } from "./runtime.ts";

type RuntimeType = RuntimeTensor.Type;

/** ONNX Runtime's name of each datatype. */
export const RUNTIME_TYPES = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
} as const satisfies Record<Datatype, RuntimeType>;

const DATATYPES_BY_RUNTIME_TYPE = new Map<string, Datatype>(
  Object.entries(RUNTIME_TYPES).map(([datatype, type]) => [type, datatype as Datatype]),
);

/** The protocol's name of a type of ONNX Runtime; undefined for those this server does not carry (float16, int4 …). */
export function datatypeOf(type: string): Datatype | undefined {
  return DATATYPES_BY_RUNTIME_TYPE.get(type);
}
