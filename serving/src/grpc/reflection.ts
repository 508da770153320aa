import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import { ProtocolError } from "../protocol/error.ts";
import { quote } from "../protocol/signature.ts";
import type { Service } from "../service.ts";
import { authorize, refuse } from "./call.ts";
import { describeService, type ServiceFile } from "./descriptors.ts";
import { delimitedField } from "./infer/response.ts";
import { ServerReflectionResponse } from "./messages/reflection.ts";
import type { OpenStreams } from "./open-streams.ts";
import { encode } from "./protobuf/encode.ts";
import { ProtobufReader } from "./protobuf/reader.ts";
import { fullName, HealthService, InferenceService } from "./services.ts";
import { failedStatus } from "./status.ts";

const SERVICES = [InferenceService, HealthService];
const METHOD = "ServerReflectionInfo";
/** `original_request` of a response. */
const ORIGINAL_REQUEST = 2;

let described: readonly ServiceFile[] | undefined;

/**
 * `ServerReflectionInfo`: what tools such as grpcurl ask to call a server without its `.proto` files.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function serverReflectionInfo(service: Service, streams: OpenStreams): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const fail = (error: unknown) => call.emit("error", refuse(service, METHOD, error));
    try {
      authorize(service, call.metadata);
    } catch (error) {
      fail(error);
      return;
    }
    const leave = streams.enter(() => fail(new ProtocolError(503, "the server is shutting down")));
    call.on("cancelled", leave);
    call.on("end", () => call.end());
    call.on("data", (bytes: Buffer) => {
      try {
        call.write(Buffer.concat([delimitedField(ORIGINAL_REQUEST, bytes), answer(bytes)]));
      } catch (error) {
        fail(error);
      }
    });
  };
}

/** Fields of the oneof of a `ServerReflectionRequest`. */
const ASKED = { fileByFilename: 3, fileContainingSymbol: 4, listServices: 7 } as const;

/** @throws ProtocolError (400) when the request is malformed */
function answer(bytes: Buffer): Buffer {
  const { field, text } = readRequest(bytes);
  if (field === ASKED.listServices) {
    const service = SERVICES.map((each) => ({ name: fullName(each) }));
    return encode(ServerReflectionResponse, { list_services_response: { service } });
  }
  described ??= SERVICES.map(describeService);
  const file = described.find(({ name, symbols }) => {
    return field === ASKED.fileByFilename ? name === text : field === ASKED.fileContainingSymbol && symbols.has(text);
  });
  if (file !== undefined) {
    return encode(ServerReflectionResponse, { file_descriptor_response: { file_descriptor_proto: [file.bytes] } });
  }
  const { code, details } = failedStatus(new ProtocolError(404, `nothing here declares ${quote(text)}`));
  return encode(ServerReflectionResponse, { error_response: { error_code: code, error_message: details } });
}

/** Which field of the oneof is there says what is asked for, even when it is empty. */
function readRequest(bytes: Buffer): { readonly field: number; readonly text: string } {
  const reader = new ProtobufReader(bytes);
  const asked = { field: 0, text: "" };
  while (reader.next()) {
    const { field } = reader;
    if (field >= ASKED.fileByFilename && field <= ASKED.listServices) asked.field = field;
    if (Object.values<number>(ASKED).includes(field)) asked.text = reader.text();
    else reader.skip();
  }
  return asked;
}
