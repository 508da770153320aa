/**
 * Messages of server reflection, and the descriptors that it gives.
 * https://github.com/grpc/grpc-proto/blob/master/grpc/reflection/v1/reflection.proto,
 * https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */
import { choice, type MessageSchema, many, message, one } from "../protobuf/schema.ts";

const ErrorResponse = message("ErrorResponse", { error_code: one(1, "int32"), error_message: one(2, "string") });

/** `original_request`, field 2, is put in front as the bytes that came. */
export const ServerReflectionResponse = message("ServerReflectionResponse", {
  valid_host: one(1, "string"),
  file_descriptor_response: choice(
    "message_response",
    4,
    message("FileDescriptorResponse", { file_descriptor_proto: many(1, "bytes") }),
  ),
  list_services_response: choice(
    "message_response",
    6,
    message("ListServiceResponse", { service: many(1, message("ServiceResponse", { name: one(1, "string") })) }),
  ),
  error_response: choice("message_response", 7, ErrorResponse),
});

const FieldDescriptor = message("FieldDescriptorProto", {
  name: one(1, "string"),
  number: one(3, "int32"),
  label: one(4, "int32"),
  type: one(5, "int32"),
  type_name: one(6, "string"),
  // Presence says that the field is in the first oneof.
  oneof_index: choice("presence", 9, "int32"),
});
const EnumDescriptor = message("EnumDescriptorProto", {
  name: one(1, "string"),
  value: many(
    2,
    message("EnumValueDescriptorProto", { name: one(1, "string"), number: choice("presence", 2, "int32") }),
  ),
});
const MessageOptions = message("MessageOptions", { map_entry: one(7, "bool") });

/** A message, with those that are declared inside it `depth` levels down. */
function descriptor(depth: number): MessageSchema {
  const fields = {
    name: one(1, "string"),
    field: many(2, FieldDescriptor),
    enum_type: many(4, EnumDescriptor),
    options: one(7, MessageOptions),
    oneof_decl: many(8, message("OneofDescriptorProto", { name: one(1, "string") })),
  };
  return message("DescriptorProto", depth === 0 ? fields : { ...fields, nested_type: many(3, descriptor(depth - 1)) });
}

const MethodDescriptor = message("MethodDescriptorProto", {
  name: one(1, "string"),
  input_type: one(2, "string"),
  output_type: one(3, "string"),
  client_streaming: one(5, "bool"),
  server_streaming: one(6, "bool"),
});

export const FileDescriptor = message("FileDescriptorProto", {
  name: one(1, "string"),
  package: one(2, "string"),
  message_type: many(4, descriptor(2)),
  enum_type: many(5, EnumDescriptor),
  service: many(6, message("ServiceDescriptorProto", { name: one(1, "string"), method: many(2, MethodDescriptor) })),
  syntax: one(12, "string"),
});
