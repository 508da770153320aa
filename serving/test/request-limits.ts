import { BytesElements } from "../src/protocol/bytes-elements.ts";
import type { RequestLimits } from "../src/rest/infer-request.ts";

/** The limits that a server has by default, of one request. */
export function requestLimits(bytesElements = new BytesElements(100_000, 1024 ** 3)): RequestLimits {
  return { maxTensors: 256, bytesElements: bytesElements.request() };
}
