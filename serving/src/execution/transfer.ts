import type { Transferable } from "node:worker_threads";
import type { Tensor } from "../tensor/tensor.ts";

/** Views smaller than this may share their memory with other requests of the same read from a socket. */
const SHARED_BELOW = 64 * 1024;

/**
 * Tensors as they can be handed to another thread: the structured clone of a view copies all of the memory behind it, so
 * small ones are copied by themselves, and large ones, whose memory no other request shares, are moved without a copy.
 */
export function forTransfer(tensors: readonly Tensor[]): Tensor[] {
  return tensors.map((tensor) => {
    const { data } = tensor;
    if (Array.isArray(data) || data.byteLength >= SHARED_BELOW || data.byteLength === data.buffer.byteLength) {
      return tensor;
    }
    return { ...tensor, data: data.slice() };
  });
}

/** The memory of tensors, each once. */
export function transferList(tensors: readonly Tensor[]): Transferable[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) if (!Array.isArray(data)) buffers.add(data.buffer as ArrayBuffer);
  return [...buffers];
}
