import type { Answering } from "./exchange.ts";
import type { UsualHead } from "./head.ts";

/** Tensors start where 64-bit elements can be read in place. */
const ALIGNMENT = 8;

/** A request whose body is arriving. */
export class Arriving {
  readonly head: UsualHead;
  readonly answering: Answering;
  readonly body: Buffer;
  /** Bytes of the body that are in their place. */
  filled = 0;

  constructor(head: UsualHead, answering: Answering, body: Buffer) {
    this.head = head;
    this.answering = answering;
    this.body = body;
  }

  /** Where the next bytes belong. */
  get place(): Buffer {
    return this.body.subarray(this.filled);
  }

  get isWhole(): boolean {
    return this.filled === this.body.length;
  }
}

/** Where in its memory a body starts, so that what follows its JSON part is aligned. */
export function offsetOf(head: UsualHead): number {
  const json = Number(head.header("inference-header-content-length") ?? 0);
  return Number.isSafeInteger(json) && json > 0 ? (ALIGNMENT - (json % ALIGNMENT)) % ALIGNMENT : 0;
}

/** A body in memory of its own. */
export function copyOf(body: Buffer, head: UsualHead): Buffer {
  const offset = offsetOf(head);
  const copy = Buffer.allocUnsafe(offset + body.length).subarray(offset);
  body.copy(copy);
  return copy;
}
