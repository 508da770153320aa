/**
 * The value below or at which a share of all values lies: the nearest-rank percentile, the smallest value of which at least
 * `share × n` values are not larger. It is always one of the values. Undefined without any.
 */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
