import type { handleServerStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import { ProtocolError } from "../protocol/error.ts";
import { quote } from "../protocol/signature.ts";
import type { Service } from "../service.ts";
import { refuse, unary } from "./call.ts";
import { HealthCheckRequest, HealthCheckResponse } from "./messages/health.ts";
import type { OpenStreams } from "./open-streams.ts";
import { decode } from "./protobuf/decode.ts";
import { encode } from "./protobuf/encode.ts";

/** The server as a whole, and the one service that has a state: they share it. */
const SERVICES = ["", "inference.GRPCInferenceService"];
/** How often readiness is looked at for those who watch it. */
const WATCH_MS = 250;
/** Watching needs no token: this bounds what a stranger can hold open. */
const MAX_WATCHERS = 1000;

/** `Check` of `grpc.health.v1.Health`: the state now. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function checkHealth(service: Service): handleUnaryCall<Buffer, Buffer> {
  return unary(service, "Check", "open", (request) => {
    const name = decode(HealthCheckRequest, request).service;
    const status = statusOf(service, name);
    if (status === "SERVICE_UNKNOWN") throw new ProtocolError(404, `there is no service ${quote(name)} here`);
    return encode(HealthCheckResponse, { status });
  });
}

function statusOf(service: Service, name: string): "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN" {
  if (!SERVICES.includes(name)) return "SERVICE_UNKNOWN";
  return service.isReady() ? "SERVING" : "NOT_SERVING";
}

/** `Watch`: the state now, and again whenever it changes. */
export function watchHealth(service: Service, streams: OpenStreams): handleServerStreamingCall<Buffer, Buffer> {
  let watchers = 0;
  return (call) => {
    let name: string;
    try {
      name = decode(HealthCheckRequest, call.request).service;
      if (watchers >= MAX_WATCHERS) throw new ProtocolError(429, `more than ${MAX_WATCHERS} calls watch health`);
    } catch (error) {
      call.emit("error", refuse(service, "Watch", error));
      return;
    }
    watchers++;
    let told = "";
    const tell = (): void => {
      const status = statusOf(service, name);
      if (status === told) return;
      told = status;
      call.write(encode(HealthCheckResponse, { status }));
    };
    tell();
    const timer = setInterval(tell, WATCH_MS).unref();
    const leave = streams.enter(() => {
      tell();
      clearInterval(timer);
      call.end();
    });
    call.on("cancelled", () => {
      watchers--;
      clearInterval(timer);
      leave();
    });
  };
}
