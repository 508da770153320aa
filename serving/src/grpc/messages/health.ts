/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import { enumeration, message, one } from "../protobuf/schema.ts";

export const HealthCheckRequest = message("HealthCheckRequest", { service: one(1, "string") });
export const HealthCheckResponse = message("HealthCheckResponse", {
  status: one(
    1,
    enumeration("HealthCheckResponse.ServingStatus", ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]),
  ),
});
