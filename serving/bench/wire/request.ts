import { elementsOf, type Sample, type Tensor } from "../samples.ts";
import { lengthDelimited, packedVarints } from "./protobuf.ts";

/**
 * How a tensor travels: `json` and `binary` are the protocol's REST forms, `grpc` its raw contents; `raw` is one tensor as
 * the whole body (FastAPI), `grpc-bytes` one tensor as a BYTES element (MLServer).
 */
export type Way = "json" | "binary" | "raw" | "grpc" | "grpc-bytes";

/** One request, ready to be sent. */
export interface WireRequest {
  readonly way: Way;
  /** The path of the URL, or the full name of the method. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const RPC = "/inference.GRPCInferenceService/ModelInfer";
const ID = "1";

export function isRpc(way: Way): boolean {
  return way === "grpc" || way === "grpc-bytes";
}

/** The sample's request in one of the ways. */
export function requestOf({ model, inputs }: Sample, way: Way): WireRequest {
  const path = `/v2/models/${model}/infer`;
  const type = (contentType: string) => ({ "Content-Type": contentType });
  switch (way) {
    case "json": {
      const tensors = inputs.map((input) => ({ ...headOf(input), data: elementsOf(input) }));
      const body = Buffer.from(JSON.stringify({ id: ID, inputs: tensors }));
      return { way, path, headers: type("application/json"), body };
    }
    case "binary": {
      const tensors = inputs.map((input) => ({
        ...headOf(input),
        parameters: { binary_data_size: input.bytes.length },
      }));
      const head = Buffer.from(JSON.stringify({ id: ID, parameters: { binary_data_output: true }, inputs: tensors }));
      const headers = {
        ...type("application/octet-stream"),
        "Inference-Header-Content-Length": String(head.length),
      };
      return { way, path, headers, body: Buffer.concat([head, ...inputs.map(({ bytes }) => bytes)]) };
    }
    case "raw": {
      const body = Buffer.concat(inputs.map(({ bytes }) => bytes));
      return { way, path: `/raw/${model}`, headers: type("application/octet-stream"), body };
    }
    case "grpc":
    case "grpc-bytes":
      return { way, path: RPC, headers: {}, body: messageOf(model, inputs, way) };
  }
}

function headOf({ name, datatype, shape }: Tensor) {
  return { name, datatype, shape };
}

/**
 * `ModelInferRequest`; the field numbers are those of open_inference_grpc.proto.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
 */
function messageOf(model: string, inputs: readonly Tensor[], way: "grpc" | "grpc-bytes"): Buffer {
  const tensors = inputs.map(({ name, datatype, shape, bytes }) =>
    way === "grpc"
      ? lengthDelimited(5, lengthDelimited(1, name), lengthDelimited(2, datatype), packedVarints(3, shape))
      : lengthDelimited(
          5,
          lengthDelimited(1, name),
          lengthDelimited(2, "BYTES"),
          packedVarints(3, [1]),
          lengthDelimited(5, lengthDelimited(8, bytes)),
        ),
  );
  const raw = way === "grpc" ? inputs.map(({ bytes }) => lengthDelimited(7, bytes)) : [];
  return Buffer.concat([lengthDelimited(1, model), lengthDelimited(3, ID), ...tensors, ...raw]);
}
