/**
 * `ModelInferRequest` as it comes over the wire.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
 */
import { badRequest } from "../../protocol/error.ts";
import { ProtobufReader, WIRE } from "../protobuf/reader.ts";

/** One entry of `inputs`. */
export interface InputMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** `InferTensorContents`, unread: how to read it depends on the datatype. The field may come in several parts. */
  readonly contents: readonly Buffer[];
}

export interface InferRequestMessage {
  readonly model: string;
  /** Empty: the default version. */
  readonly version: string;
  readonly id: string;
  /** Microseconds; 0: not said. */
  readonly timeoutUs: number;
  /** A client of a stream asks to be told which answer is a request's last one. */
  readonly marksFinal: boolean;
  readonly inputs: readonly InputMessage[];
  /** Names. */
  readonly outputs: readonly string[];
  readonly rawContents: readonly Buffer[];
}

/** Parts that the contents of one input may come in: clients send one. */
const MAX_PARTS = 1000;
/** Far beyond any model's rank: what does not fit the model's is refused later, by name. */
const MAX_DIMENSIONS = 1024;

/**
 * Reads a request. Unknown fields and parameters are passed over.
 *
 * @param maxTensors inputs, and outputs, that it may name: an empty one takes two bytes on the wire and far more in memory
 * @throws ProtocolError (400)
 */
export function readInferRequestMessage(bytes: Buffer, maxTensors: number): InferRequestMessage {
  const reader = new ProtobufReader(bytes);
  const message = {
    model: "",
    version: "",
    id: "",
    timeoutUs: 0,
    marksFinal: false,
    inputs: [] as InputMessage[],
    outputs: [] as string[],
    rawContents: [] as Buffer[],
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        message.model = reader.text();
        break;
      case 2:
        message.version = reader.text();
        break;
      case 3:
        message.id = reader.text();
        break;
      case 4: {
        const { key, value } = readParameter(reader);
        if (key === "timeout") message.timeoutUs = timeoutOf(value);
        else if (key === "triton_enable_empty_final_response") message.marksFinal = value === true;
        break;
      }
      case 5:
        addTo(message.inputs, readInput(reader), "inputs", maxTensors);
        break;
      case 6:
        addTo(message.outputs, readOutput(reader), "outputs", maxTensors);
        break;
      case 7:
        addTo(message.rawContents, reader.view(), "raw_input_contents", maxTensors);
        break;
      default:
        reader.skip();
    }
  }
  return message;
}

function addTo<T>(list: T[], entry: T, name: string, most: number): void {
  if (list.length >= most) throw badRequest(`'${name}' holds more than ${most} entries, the limit of this server`);
  list.push(entry);
}

function readInput(reader: ProtobufReader): InputMessage {
  const outer = reader.enter();
  const input = { name: "", datatype: "", shape: [] as number[], contents: [] as Buffer[] };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        input.name = reader.text();
        break;
      case 2:
        input.datatype = reader.text();
        break;
      case 3:
        readShape(reader, input.shape);
        break;
      case 4:
        refuseForeignData("an input", readParameter(reader).key);
        break;
      case 5:
        addTo(input.contents, reader.view(), "contents", MAX_PARTS);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return input;
}

/** `repeated int64`, packed or not. */
function readShape(reader: ProtobufReader, shape: number[]): void {
  if (reader.wire === WIRE.varint) shape.push(reader.int64());
  else {
    const outer = reader.enter();
    while (reader.hasMore() && shape.length <= MAX_DIMENSIONS) shape.push(reader.varintInt64());
    reader.leave(outer);
  }
  if (shape.length > MAX_DIMENSIONS) throw badRequest(`a 'shape' has more than ${MAX_DIMENSIONS} dimensions`);
}

function readOutput(reader: ProtobufReader): string {
  const outer = reader.enter();
  let name = "";
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) refuseForeignData("an output", readParameter(reader).key);
    else reader.skip();
  }
  reader.leave(outer);
  return name;
}

/** What would change where a tensor's data is, or its form, is refused: to pass over it would answer something else. */
function refuseForeignData(owner: string, parameter: string): void {
  if (parameter.startsWith("shared_memory_")) {
    throw badRequest(`${owner} asks for shared memory, which is not supported: send the data in the message`);
  }
  if (parameter === "classification") {
    throw badRequest(`${owner} asks for the classification extension, which is not supported: ask for the tensor`);
  }
}

interface Parameter {
  key: string;
  value: string | number | boolean | undefined;
}

/** An entry of `map<string, InferParameter>`. */
function readParameter(reader: ProtobufReader): Parameter {
  const outer = reader.enter();
  const parameter: Parameter = { key: "", value: undefined };
  while (reader.next()) {
    if (reader.field === 1) parameter.key = reader.text();
    else if (reader.field === 2) parameter.value = readParameterValue(reader);
    else reader.skip();
  }
  reader.leave(outer);
  return parameter;
}

function readParameterValue(reader: ProtobufReader): Parameter["value"] {
  const outer = reader.enter();
  let value: Parameter["value"];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value = reader.bool();
        break;
      case 2:
      case 5: // uint64: above 2^63 it comes out negative, which no parameter of ours may be
        value = reader.int64();
        break;
      case 3:
        value = reader.text();
        break;
      case 4:
        value = reader.double();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return value;
}

function timeoutOf(value: Parameter["value"]): number {
  if (typeof value === "number" && value >= 0) return value;
  throw badRequest("the request: 'timeout' must be a number of microseconds, 0 for none");
}
