import { random32 } from "../random.ts";

/** What chance decides in one case: the same for the same seed and number, whatever cases ran before. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number, number: number) {
    // Neighbouring numbers must not begin alike: both are mixed well (the finalizer of MurmurHash3).
    let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b) >>> 0;
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35) >>> 0;
    this.#next = random32((state ^ (state >>> 16)) >>> 0 || 1);
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#next() % limit;
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in one of `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let index = 0; index < length; index++) bytes[index] = this.below(256);
    return bytes;
  }

  /** Cuts bytes into pieces at chance places. */
  pieces(bytes: Buffer, most: number): Buffer[] {
    const cuts = Array.from({ length: this.between(0, most - 1) }, () => this.below(bytes.length + 1));
    const places = [0, ...cuts.sort((one, other) => one - other), bytes.length];
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  }
}
