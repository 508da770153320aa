import type { Dice } from "./dice.ts";
import { bytesOf } from "./elements.ts";
import type { Inference, TestTensor } from "./inference.ts";
import { array, elementToken, type JsonNode, nested, type ObjectNode, object, token, write } from "./json-text.ts";

export type Header = readonly [name: string, value: string];

/** A request before it is framed. */
export interface HttpRequest {
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

/** An inference as REST carries it, still in parts that can be changed. */
export interface RestRequest {
  readonly model: string;
  readonly version: string | undefined;
  readonly json: ObjectNode;
  /** Undefined: no binary part. */
  readonly binary: Buffer | undefined;
}

/** JSON, nested or flat, with the data of any of the inputs and outputs in binary. */
export function restRequest(dice: Dice, { model, version, id, inputs, outputs }: Inference): RestRequest {
  const parts: Buffer[] = [];
  const isBinary = () => dice.oneIn(3);
  const hasBinary = dice.oneIn(2);
  const entries = inputs.map((tensor) => {
    if (!hasBinary || !isBinary()) return inputNode(dice, tensor, undefined);
    const bytes = bytesOf(tensor.datatype, tensor.elements);
    parts.push(bytes);
    return inputNode(dice, tensor, bytes.length);
  });
  const parameters = dice.oneIn(3) ? object({ binary_data_output: token(dice.oneIn(2)) }) : undefined;
  const asked = outputs?.map((name) =>
    object({ name: token(name), parameters: dice.oneIn(2) ? object({ binary_data: token(isBinary()) }) : undefined }),
  );
  const json = object({
    id: id === undefined ? undefined : token(id),
    parameters,
    inputs: array(entries),
    outputs: asked === undefined ? undefined : array(asked),
  });
  return { model, version, json, binary: hasBinary ? Buffer.concat(parts) : undefined };
}

function inputNode(dice: Dice, { name, datatype, shape, elements }: TestTensor, size: number | undefined): JsonNode {
  const tokens = elements.map(elementToken);
  const members = {
    name: token(name),
    datatype: token(datatype),
    shape: array(shape.map(token)),
    parameters: size === undefined ? undefined : object({ binary_data_size: token(size) }),
    data: size !== undefined ? undefined : dice.oneIn(2) ? array(tokens) : nested(tokens, shape),
  };
  // Nothing says that the data comes last.
  return object(dice.oneIn(3) ? Object.fromEntries(Object.entries(members).reverse()) : members);
}

export function targetOf(model: string, version: string | undefined): string {
  return `/v2/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${version}`}/infer`;
}

export const JSON_LENGTH = "Inference-Header-Content-Length";

export function httpRequest({ model, version, json, binary }: RestRequest, text = write(json)): HttpRequest {
  const bytes = Buffer.from(text);
  const target = targetOf(model, version);
  if (binary === undefined) return { target, headers: [["Content-Type", "application/json"]], body: bytes };
  return { target, headers: [[JSON_LENGTH, String(bytes.length)]], body: Buffer.concat([bytes, binary]) };
}

/** The data alone. */
export function rawRequest({ model, version, inputs }: Inference): HttpRequest {
  const [{ datatype, elements }] = inputs as readonly [TestTensor];
  const body = datatype === "BYTES" ? Buffer.from(String(elements[0])) : bytesOf(datatype, elements);
  return { target: targetOf(model, version), headers: [[JSON_LENGTH, "0"]], body };
}

/** The head of a POST, up to the empty line. */
export function head(target: string, headers: readonly Header[], version = "1.1"): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${target} HTTP/${version}\r\nHost: x\r\n${lines}\r\n`, "latin1");
}

/** A whole request as most clients send it. */
export function framed({ target, headers, body }: HttpRequest): Buffer {
  return Buffer.concat([head(target, [...headers, ["Content-Length", String(body.length)]]), body]);
}
