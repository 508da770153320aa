/**
 * Random numbers that are the same at each run: whole, from 0 to 2^32 - 1 (xorshift32, G. Marsaglia, "Xorshift RNGs", 2003).
 *
 * @param seed not 0
 */
export function random32(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
