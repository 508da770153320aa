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
}

/** An ONNX file (IR version 8, operator set 17) of these nodes. */
export function onnxFile(graph: {
  nodes: readonly Node[];
  inputs: readonly Value[];
  outputs: readonly Value[];
}): Buffer {
  const body = Buffer.concat([
    ...graph.nodes.map((node) =>
      message(
        1,
        ...node.inputs.map((name) => text(1, name)),
        ...node.outputs.map((name) => text(2, name)),
        text(4, node.operator),
      ),
    ),
    text(2, "graph"),
    ...graph.inputs.map((value) => message(11, valueInfo(value))),
    ...graph.outputs.map((value) => message(12, valueInfo(value))),
  ]);
  return Buffer.concat([integer(1, 8), message(7, body), message(8, text(1, ""), integer(2, 17))]);
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
