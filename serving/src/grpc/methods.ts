import type { MethodDefinition, UntypedHandleCall } from "@grpc/grpc-js";
import type { BodyBudget } from "../http/limits.ts";
import type { Service } from "../service.ts";
import { unary } from "./call.ts";
import { checkHealth, watchHealth } from "./health.ts";
import { modelInfer } from "./infer/infer.ts";
import { modelStreamInfer } from "./infer/stream.ts";
import { healthAnswers, metadataAnswers, repositoryAnswers } from "./management.ts";
import type { OpenStreams } from "./open-streams.ts";
import { serverReflectionInfo } from "./reflection.ts";
import { fullName, HealthService, InferenceService, type MethodSchema, type ServiceSchema } from "./services.ts";

/** A method and what answers it. */
export interface Method {
  readonly definition: MethodDefinition<Buffer, Buffer>;
  readonly handler: UntypedHandleCall;
}

/**
 * Every method of this server.
 *
 * @param streams what tells calls without an end that the server stops
 * @param budget for inference requests, from their arrival to their answer
 */
export function methodsOf(service: Service, streams: OpenStreams, budget: BodyBudget): Method[] {
  const open = Object.entries(healthAnswers(service)).map(
    ([name, answer]) => [name, unary(service, name, "open", answer)] as const,
  );
  const authorized = Object.entries({ ...metadataAnswers(service), ...repositoryAnswers(service) }).map(
    ([name, answer]) => [name, unary(service, name, "authorized", answer)] as const,
  );
  const inference = {
    ...Object.fromEntries([...open, ...authorized]),
    ModelInfer: modelInfer(service, budget),
    ModelStreamInfer: modelStreamInfer(service, streams, budget),
  };
  const health = { Check: checkHealth(service), Watch: watchHealth(service, streams) };
  const reflection = serverReflectionInfo(service, streams);
  return [
    ...methodsOfService(InferenceService, inference),
    ...methodsOfService(HealthService, health),
    // Tools ask the one or the other.
    ...["grpc.reflection.v1", "grpc.reflection.v1alpha"].map((name) =>
      method(
        `/${name}.ServerReflection/ServerReflectionInfo`,
        { requestStream: true, responseStream: true },
        reflection,
      ),
    ),
  ];
}

function methodsOfService(
  schema: ServiceSchema,
  handlers: Readonly<Record<string, UntypedHandleCall>>,
): readonly Method[] {
  return Object.entries(schema.methods).map(([name, kind]) => {
    const handler = handlers[name];
    if (handler === undefined) throw new TypeError(`nothing answers ${fullName(schema)}/${name}`);
    return method(`/${fullName(schema)}/${name}`, kind, handler);
  });
}

function method(
  path: string,
  { requestStream = false, responseStream = false }: Pick<MethodSchema, "requestStream" | "responseStream">,
  handler: UntypedHandleCall,
): Method {
  const definition = {
    path,
    requestStream,
    responseStream,
    // Handlers read and write the messages: they can then say what is wrong with one.
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
  return { definition, handler };
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}
