/** The datatypes by the kind of JSON value that stands for an element. */
const BOOLEAN = ["BOOL"];
const INTEGER = ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"];
const FLOAT = ["FP16", "FP32", "FP64"];
const STRING = ["BYTES"];

const NAME = { type: "string", description: "The tensor's name in the model.", examples: ["x"] };
const SHAPE = {
  type: "array",
  items: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  description:
    "Its product is the number of elements; `[]` is a scalar. 0 in a request only where the model's configuration allows it.",
  maxItems: 32,
  examples: [[1, 2]],
};

/** One kind of tensor in a request, and the same kind in an answer. */
function kind(name: string, datatypes: readonly string[], what: string, element: object): Record<string, object> {
  const datatype = { type: "string", enum: datatypes };
  const data = `${name}Data`;
  return {
    [data]: {
      type: "array",
      description: `${what}: flat in row-major order, or nested as the shape says.`,
      items: { anyOf: [element, { $ref: `#/components/schemas/${data}` }] },
    },
    [`${name}Input`]: {
      type: "object",
      required: ["name", "datatype", "shape", "data"],
      properties: {
        name: NAME,
        datatype,
        shape: SHAPE,
        data: { $ref: `#/components/schemas/${data}` },
        parameters: { $ref: "#/components/schemas/InputParameters" },
      },
    },
    [`${name}Output`]: {
      type: "object",
      required: ["name", "datatype", "shape", "data"],
      properties: {
        name: NAME,
        datatype,
        shape: SHAPE,
        data: { type: "array", description: `${what}, flat in row-major order.`, items: element },
      },
    },
  };
}

/** Tensors in JSON, and what a model declares of one. */
export const tensorSchemas: Readonly<Record<string, object>> = {
  Datatype: {
    type: "string",
    enum: [...BOOLEAN, ...INTEGER, ...FLOAT, ...STRING],
    description: "The type of a tensor's elements.",
  },
  TensorMetadata: {
    type: "object",
    required: ["name", "datatype", "shape"],
    properties: {
      name: NAME,
      datatype: { $ref: "#/components/schemas/Datatype" },
      shape: {
        type: "array",
        items: { type: "integer", minimum: -1 },
        description: "`-1` for a dimension of any size.",
        examples: [[-1, 64]],
      },
    },
  },
  InputParameters: {
    type: "object",
    description: "Others are ignored.",
    properties: {
      binary_data_size: { description: "Of an input whose data follows the JSON, in place of `data`.", not: {} },
    },
  },
  ...kind("Boolean", BOOLEAN, "Booleans", { type: "boolean" }),
  ...kind("Integer", INTEGER, "Whole numbers in the datatype's range; 64-bit ones keep every bit", { type: "integer" }),
  ...kind("Float", FLOAT, 'Numbers, or the strings "NaN", "Infinity" and "-Infinity"', {
    anyOf: [{ type: "number" }, { type: "string", enum: ["NaN", "Infinity", "-Infinity"] }],
  }),
  ...kind("Bytes", STRING, "Strings of Unicode text without NUL", { type: "string" }),
  TensorInput: {
    description: "A tensor for one of the model's inputs.",
    oneOf: references("BooleanInput", "IntegerInput", "FloatInput", "BytesInput"),
  },
  TensorOutput: {
    description: "A tensor of one of the model's outputs.",
    oneOf: references("BooleanOutput", "IntegerOutput", "FloatOutput", "BytesOutput"),
  },
};

function references(...names: readonly string[]): object[] {
  return names.map((name) => ({ $ref: `#/components/schemas/${name}` }));
}
