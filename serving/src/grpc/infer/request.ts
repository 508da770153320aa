import type { Signature } from "../../models/model.ts";
import type { RequestElements } from "../../protocol/bytes-elements.ts";
import { parseBytes } from "../../protocol/bytes-tensor.ts";
import { badRequest } from "../../protocol/error.ts";
import {
  allOutputs,
  arrangeInputs,
  checkDatatype,
  checkOutputs,
  checkShape,
  findInput,
} from "../../protocol/signature.ts";
import {
  elementCount,
  elementSize,
  formatShape,
  type Tensor,
  type TensorData,
  type TensorSpec,
  viewNumeric,
} from "../../tensor/tensor.ts";
import type { InferRequestMessage, InputMessage } from "./request-message.ts";
import { readContents } from "./tensor-contents.ts";

/** An inference request, checked against its model. */
export interface InferRequest {
  /** One tensor for each of the model's inputs, in the model's order. */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs asked for, in the order asked. */
  readonly outputs: readonly string[];
  /** The data came in typed contents, and so goes the answer where it can. */
  readonly typed: boolean;
}

/**
 * Checks a request against its model and reads its tensors.
 *
 * @param bytesElements counts its BYTES elements before they are read
 * @throws ProtocolError that says what is wrong, and of which input or output: 400; 413 or 503 when it holds too many elements
 */
export function readInferRequest(
  message: InferRequestMessage,
  signature: Signature,
  bytesElements: RequestElements,
): InferRequest {
  const { inputs, rawContents } = message;
  if (rawContents.length > 0 && rawContents.length !== inputs.length) {
    throw badRequest(
      `'raw_input_contents' has ${rawContents.length} entries, but 'inputs' has ${inputs.length}: one for each is needed`,
    );
  }
  const tensors: Tensor[] = [];
  for (let index = 0; index < inputs.length; index++) {
    tensors.push(readInput(inputs[index] as InputMessage, rawContents[index], signature, bytesElements));
  }
  if (message.outputs.length > 0) checkOutputs(signature, message.outputs);
  return {
    inputs: arrangeInputs(signature, tensors),
    outputs: message.outputs.length > 0 ? message.outputs : allOutputs(signature),
    typed: rawContents.length === 0 && inputs.some(hasContents),
  };
}

function readInput(
  input: InputMessage,
  raw: Buffer | undefined,
  signature: Signature,
  bytesElements: RequestElements,
): Tensor {
  const spec = findInput(signature, input.name);
  const { name, datatype } = spec;
  const { shape } = input;
  checkDatatype(spec, input.datatype);
  checkShape(signature, spec, shape);
  const count = elementCount(shape);
  if (datatype === "BYTES") bytesElements.take(count);
  if (raw === undefined) {
    return { name, datatype, shape, data: readContents(spec, shape, count, input.contents) };
  }
  if (hasContents(input)) {
    throw badRequest(`input '${name}': both 'contents' and 'raw_input_contents' are given, one is needed`);
  }
  return { name, datatype, shape, data: readRaw(spec, shape, count, raw) };
}

function readRaw({ name, datatype }: TensorSpec, shape: readonly number[], count: number, raw: Buffer): TensorData {
  if (datatype === "BYTES") return parseBytes(name, raw, count);
  const needed = count * elementSize(datatype);
  if (raw.length !== needed) {
    throw badRequest(
      `input '${name}': 'raw_input_contents' has ${raw.length} bytes for it, but shape ${formatShape(shape)} needs ` +
        `${needed} bytes of ${datatype}`,
    );
  }
  return viewNumeric(datatype, raw);
}

/** Clients may send the message without anything in it. */
function hasContents({ contents }: InputMessage): boolean {
  return contents.some((part) => part.length > 0);
}
