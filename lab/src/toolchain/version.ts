/** Whether a version such as `1.26.8` or `3.11` is at least another one. A missing part counts as 0. */
export function atLeast(version: string, minimum: string): boolean {
  const parts = (text: string) => text.split(/[.\-+rcbeta]+/).map((part) => Number.parseInt(part, 10) || 0);
  const have = parts(version);
  const need = parts(minimum);
  for (let index = 0; index < Math.max(have.length, need.length); index++) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The newest of some versions. */
export function newest(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (best, version) => (best && atLeast(best, version) ? best : version),
    undefined,
  );
}
