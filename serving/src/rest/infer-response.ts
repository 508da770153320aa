import type { Model } from "../models/model.ts";
import { badRequest } from "../protocol/error.ts";
import { formatShape, type Tensor } from "../tensor/tensor.ts";
import { binaryData } from "./binary.ts";
import type { InferRequest } from "./infer-request.ts";
import { JsonTooLarge, quoteAscii, writeElements } from "./json/write.ts";

/** The body of an inference response. */
export interface InferResponse {
  /** ASCII, in pieces where it is large. */
  readonly json: readonly (string | Uint8Array)[];
  readonly jsonLength: number;
  /** What follows the JSON; undefined when no output is binary. */
  readonly binary: readonly Uint8Array[] | undefined;
}

const openings = new WeakMap<Model, string>();

/**
 * The outputs in the form that the request asks for.
 *
 * @param maxJsonBytes that all outputs which are no binary data may take
 * @throws ProtocolError (400) when they take more
 */
export function writeInferResponse(
  model: Model,
  request: InferRequest,
  outputs: readonly Tensor[],
  maxJsonBytes: number,
): InferResponse {
  const pieces: (string | Uint8Array)[] = [];
  let written = 0;
  let json = opening(model);
  if (request.id !== undefined) json += `,"id":${quoteAscii(request.id)}`;
  json += ',"outputs":[';
  let binary: Uint8Array[] | undefined;
  for (let index = 0; index < outputs.length; index++) {
    const tensor = outputs[index] as Tensor;
    if (index > 0) json += ",";
    json += `{"name":${quoteAscii(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(",")}],`;
    if (request.binary[index] === true) {
      const data = binaryData(tensor);
      binary ??= [];
      binary.push(data);
      json += `"parameters":{"binary_data_size":${data.byteLength}}}`;
      continue;
    }
    const elements = elementsWithin(tensor, maxJsonBytes - written);
    if (typeof elements === "string") {
      json += `"data":${elements}}`;
      written += elements.length;
      continue;
    }
    pieces.push(`${json}"data":`, ...elements);
    for (const piece of elements) written += piece.length;
    json = "}";
  }
  pieces.push(`${json}]}`);
  let jsonLength = 0;
  for (const piece of pieces) jsonLength += piece.length;
  return { json: pieces, jsonLength, binary };
}

function elementsWithin(tensor: Tensor, limit: number): string | readonly Uint8Array[] {
  try {
    return writeElements(tensor, limit);
  } catch (error) {
    if (!(error instanceof JsonTooLarge)) throw error;
    throw badRequest(
      `output '${tensor.name}' of shape ${formatShape(tensor.shape)} makes the answer's JSON too large for this server: ` +
        "ask for binary data, by the parameter 'binary_data_output'",
    );
  }
}

/** The part that is the same for each answer of a model. */
function opening(model: Model): string {
  let text = openings.get(model);
  if (text === undefined) {
    text = `{"model_name":${quoteAscii(model.name)},"model_version":${quoteAscii(model.version)}`;
    openings.set(model, text);
  }
  return text;
}
