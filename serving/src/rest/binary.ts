/**
 * The binary tensor data extension.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/extension_binary_data.md
 */
import { isUtf8 } from "node:buffer";
import type { Signature } from "../models/model.ts";
import { formatBytes, parseBytes } from "../protocol/bytes-tensor.ts";
import { badRequest } from "../protocol/error.ts";
import { checkShape } from "../protocol/signature.ts";
import {
  bytesOf,
  elementCount,
  elementSize,
  formatShape,
  type Tensor,
  type TensorData,
  type TensorSpec,
  viewNumeric,
} from "../tensor/tensor.ts";

/** What follows the JSON of a request: the data of its binary inputs, one after the other in the order of `inputs`. */
export class BinarySection {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * The next input's data: a view of the request where it is aligned.
   *
   * @param count elements that its shape needs
   * @param size its `binary_data_size`
   * @throws ProtocolError (400) when the sizes do not fit
   */
  take({ name, datatype }: TensorSpec, count: number, size: number): TensorData {
    const left = this.#bytes.length - this.#at;
    if (size > left) throw badRequest(`input '${name}': 'binary_data_size' is ${size}, but only ${left} bytes follow`);
    const bytes = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += size;
    if (datatype === "BYTES") return parseBytes(name, bytes, count);
    const needed = count * elementSize(datatype);
    if (size !== needed) {
      throw badRequest(
        `input '${name}': 'binary_data_size' is ${size}, but its shape needs ${needed} bytes of ${datatype}`,
      );
    }
    return viewNumeric(datatype, bytes);
  }

  /** @throws ProtocolError (400) when bytes are left that no input claims */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw badRequest(`the request body has ${left} bytes more than its inputs' 'binary_data_size' say`);
  }
}

/**
 * The tensor of a request whose body is nothing but its data: the model has one input, at most one dimension of which may
 * have any size.
 *
 * @throws ProtocolError (400)
 */
export function rawTensor(body: Buffer, signature: Signature): Tensor {
  const { inputs } = signature;
  const [spec, ...more] = inputs;
  if (spec === undefined || more.length > 0) {
    throw badRequest(`a raw binary request needs a model with one input, this one has ${inputs.length}`);
  }
  const { name, datatype } = spec;
  const open = spec.shape.filter((size) => size === -1).length;
  if (datatype === "BYTES") {
    if (!isUtf8(body) || body.includes(0))
      throw badRequest(`input '${name}': its data is not text in UTF-8 without NUL`);
    const shape = spec.shape.map((size) => (size === -1 ? 1 : size));
    if (elementCount(shape) !== 1) throw badRequest(`input '${name}': a raw binary request carries one BYTES element`);
    return { name, datatype, shape, data: [body.toString("utf8")] };
  }
  const count = body.length / elementSize(datatype);
  const known = elementCount(spec.shape.filter((size) => size !== -1));
  const shape = spec.shape.map((size) => (size === -1 ? count / known : size));
  if (open > 1 || !Number.isInteger(count) || !shape.every(Number.isSafeInteger) || elementCount(shape) !== count) {
    throw badRequest(
      `input '${name}': ${body.length} bytes of ${datatype} do not make a shape ${formatShape(spec.shape)}; ` +
        "a raw binary request needs at most one dimension of any size",
    );
  }
  checkShape(signature, spec, shape);
  return { name, datatype, shape, data: viewNumeric(datatype, body) };
}

/** A tensor's data as it goes over the wire, without a copy where its elements have a fixed size. */
export function binaryData({ datatype, data }: Tensor): Uint8Array {
  return datatype === "BYTES" ? formatBytes(data as string[]) : bytesOf(data as Exclude<TensorData, string[]>);
}
