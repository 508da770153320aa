import type { Tensor } from "./tensor.ts";

/** An output tensor as the protocol's JSON: `{"name":…,"datatype":…,"shape":…,"data":…}`, data flat in row-major order. */
export function encodeTensor(tensor: Tensor): string {
  const head = `{"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(",")}]`;
  return `${head},"data":${encodeData(tensor)}}`;
}

function encodeData({ datatype, data }: Tensor): string {
  switch (datatype) {
    case "BYTES":
      return JSON.stringify(data);
    case "BOOL":
      return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(",")}]`;
    case "FP32":
    case "FP64": {
      const numbers = data as Float32Array | Float64Array;
      // JSON has no NaN and no infinities: strings, as in the JSON mapping of protocol buffers.
      return numbers.every(Number.isFinite)
        ? `[${numbers.join(",")}]`
        : `[${Array.from(numbers, (value) => (Number.isFinite(value) ? value : `"${value}"`)).join(",")}]`;
    }
    default:
      // Joined, not stringified: 64-bit elements are BigInt, which JSON.stringify refuses.
      return `[${data.join(",")}]`;
  }
}
