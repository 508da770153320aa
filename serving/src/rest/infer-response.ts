import type { Model } from "../models/model.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binaryData } from "./binary.ts";
import type { InferRequest } from "./infer-request.ts";
import { quoteAscii, writeElements } from "./json/write.ts";

/** The body of an inference response. */
export interface InferResponse {
  /** ASCII. */
  readonly json: string;
  /** What follows the JSON; undefined when no output is binary. */
  readonly binary: readonly Uint8Array[] | undefined;
}

const openings = new WeakMap<Model, string>();

/** The outputs in the form that the request asks for. */
export function writeInferResponse(model: Model, request: InferRequest, outputs: readonly Tensor[]): InferResponse {
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
    } else json += `"data":${writeElements(tensor)}}`;
  }
  return { json: `${json}]}`, binary };
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
