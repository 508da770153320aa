/**
 * Writes tiny ONNX files for the tests, so that no binary file is committed. Field numbers: onnx/onnx.proto.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

/** TensorProto.DataType. */
const ELEMENT_TYPES = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

export interface Value {
  readonly name: string;
  readonly type: ElementType;
  /** A string names a dimension of any size; without a shape even the rank is open. */
  readonly shape?: readonly (number | string)[];
  /** A sequence of such tensors, as ZipMap gives. */
  readonly sequence?: boolean;
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that are graphs, as `If` has them. */
  readonly subgraphs?: Readonly<Record<string, Graph>>;
}

/** FP32 weights: in the ONNX file, or in a file beside it. */
export interface Initializer {
  readonly name: string;
  readonly values: readonly number[];
  /** Path of the file that holds the values, as the ONNX file names it. */
  readonly location?: string;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers?: readonly Initializer[];
}

/** An ONNX file (IR version 8, operator set 17) of these nodes. */
export function onnxFile(graph: Graph): Buffer {
  return Buffer.concat([integer(1, 8), message(7, graphOf(graph)), message(8, text(1, ""), integer(2, 17))]);
}

function graphOf({ nodes, inputs, outputs, initializers = [] }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((node) => message(1, nodeOf(node))),
    text(2, "graph"),
    ...initializers.map((initializer) => message(5, initializerOf(initializer))),
    ...inputs.map((value) => message(11, valueInfo(value))),
    ...outputs.map((value) => message(12, valueInfo(value))),
  ]);
}

function nodeOf({ operator, inputs, outputs, subgraphs = {} }: Node): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(subgraphs).map(([name, graph]) =>
      message(5, text(1, name), message(6, graphOf(graph)), integer(20, 5)),
    ),
  ]);
}

function initializerOf({ name, values, location }: Initializer): Buffer {
  const head = [integer(1, values.length), integer(2, ELEMENT_TYPES.FP32), text(8, name)];
  if (location === undefined) return Buffer.concat([...head, message(9, floatBytes(values))]);
  return Buffer.concat([...head, message(13, text(1, "location"), text(2, location)), integer(14, 1)]);
}

/** What a file of weights holds. */
export function floatBytes(values: readonly number[]): Buffer {
  return Buffer.from(new Float32Array(values).buffer);
}

/** A model that adds weights to its input `x` of that length and gives `y`. */
export function additionModel(weights: readonly number[], location?: string): Buffer {
  const value = { type: "FP32", shape: [weights.length] } as const;
  const initializer = { name: "w", values: weights };
  return onnxFile({
    nodes: [{ operator: "Add", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [{ name: "x", ...value }],
    outputs: [{ name: "y", ...value }],
    initializers: [location === undefined ? initializer : { ...initializer, location }],
  });
}

/** A model that gives each input back as it is, `x` as `x_out`. */
export function identityModel(values: readonly Value[]): Buffer {
  return onnxFile({
    nodes: values.map(({ name }) => ({ operator: "Identity", inputs: [name], outputs: [`${name}_out`] })),
    inputs: values,
    outputs: values.map((value) => ({ ...value, name: `${value.name}_out` })),
  });
}

function valueInfo({ name, type, shape, sequence = false }: Value): Buffer {
  const dimensions = shape?.map((size) => message(1, typeof size === "number" ? integer(1, size) : text(2, size)));
  const parts = [integer(1, ELEMENT_TYPES[type])];
  if (dimensions !== undefined) parts.push(message(2, ...dimensions));
  const tensor = message(1, ...parts);
  return Buffer.concat([text(1, name), message(2, sequence ? message(4, message(1, tensor)) : tensor)]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function message(field: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
