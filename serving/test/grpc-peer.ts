import { fileURLToPath } from "node:url";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type MethodDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";
import { type GrpcOptions, GrpcServer } from "../src/grpc/server.ts";
import { BytesElements } from "../src/protocol/bytes-elements.ts";
import type { Service } from "../src/service.ts";
import { NO_TELEMETRY } from "../src/telemetry/telemetry.ts";
import { LogRecord, TestCatalog } from "./test-catalog.ts";

/** A message as the JSON mapping of protocol buffers has it; 64-bit numbers as text. */
export type Message = Readonly<Record<string, unknown>>;

export interface CallOptions {
  readonly deadline?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Stub extends Client {
  readonly [method: string]: unknown;
}

const PROTO = fileURLToPath(new URL("./inference.proto", import.meta.url));
const OPTIONS = { keepCase: true, longs: String, defaults: true, oneofs: false } as const;
const LARGEST = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 } as const;

/** A server on a port of its own, and gRPC's own client to it, which writes its messages with protobuf.js. */
export class GrpcPeer {
  readonly server: GrpcServer;
  readonly port: number;
  readonly log: LogRecord;
  readonly stub: Stub;

  private constructor(server: GrpcServer, port: number, log: LogRecord, channel = credentials.createInsecure()) {
    this.server = server;
    this.port = port;
    this.log = log;
    // biome-ignore lint/complexity/useLiteralKeys: the package is named in the .proto file.
    const definition = loadPackageDefinition(loadSync(PROTO, OPTIONS))["inference"] as unknown as Readonly<
      Record<string, new (target: string, channel: unknown, options: object) => Stub>
    >;
    const Service = definition.GRPCInferenceService;
    if (Service === undefined) throw new Error("the .proto file has no GRPCInferenceService");
    this.stub = new Service(`localhost:${port}`, channel, LARGEST);
  }

  /** Everything is ended after the test. */
  static async start(
    service: Partial<Service>,
    options: Partial<GrpcOptions> = {},
    channel = credentials.createInsecure(),
  ): Promise<GrpcPeer> {
    const log = new LogRecord();
    const all = { maxHeldBytes: HELD_BYTES, maxHeaderBytes: 16_384, ...options };
    const server = new GrpcServer({ ...(await defaults(service, log)), ...service }, all);
    onTestFinished(() => server.close());
    const peer = new GrpcPeer(server, await server.listen("127.0.0.1", 0), log, channel);
    onTestFinished(() => peer.stub.close());
    return peer;
  }

  /** @throws ServiceError */
  call(method: string, message: Message = {}, { deadline, metadata = {} }: CallOptions = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      const call = this.stub[method] as (...parts: readonly unknown[]) => unknown;
      const done = (error: ServiceError | null, answer: Message) => (error === null ? resolve(answer) : reject(error));
      call.call(this.stub, message, metadataOf(metadata), deadline === undefined ? {} : { deadline }, done);
    });
  }

  /** Sends bytes as they are. @throws ServiceError */
  send(method: string, bytes: Buffer, service = "inference.GRPCInferenceService"): Promise<Buffer> {
    const asItIs = (value: Buffer) => value;
    return new Promise((resolve, reject) => {
      this.stub.makeUnaryRequest(`/${service}/${method}`, asItIs, asItIs, bytes, (error, answer) =>
        error === null ? resolve(answer as Buffer) : reject(error),
      );
    });
  }

  /** The bytes of a request. */
  encode(method: string, message: Message): Buffer {
    const { service } = this.stub.constructor as unknown as ServiceClientConstructor;
    return (service[method] as MethodDefinition<Message, Message>).requestSerialize(message);
  }

  /** How a call is refused: `CODE: details`. */
  async refusal(method: string, message: Message = {}, options: CallOptions = {}): Promise<string> {
    return refusalOf(this.call(method, message, options));
  }
}

/** How a call ends: `CODE: details`, or `OK`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    const { code, details } = error as ServiceError;
    return `${status[code]}: ${details}`;
  }
}

function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

/** Of messages together that arrive, or wait. */
const HELD_BYTES = 16 * 1024 * 1024;

async function defaults(given: Partial<Service>, log: LogRecord): Promise<Service> {
  return {
    catalog: given.catalog ?? (await TestCatalog.started({})).catalog,
    isReady: () => true,
    version: "1.2.3",
    modelControl: true,
    maxBodyBytes: 4 * 1024 * 1024,
    maxJsonBytes: 1024 * 1024,
    maxTensors: 256,
    bytesElements: new BytesElements(100_000, 1024 ** 3),
    requestTimeoutMs: 60_000,
    telemetry: NO_TELEMETRY,
    log,
    isAuthorized: () => true,
  };
}
