/** The numbers of a semantic version; what follows a hyphen is left out. */
export type Version = readonly [major: number, minor: number, patch: number];

/** The first `1.2.3` in a text, with or without a `v`, or undefined. */
export function findVersion(text: string): Version | undefined {
  const match = /\bv?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

export function isOlder(version: Version, than: Version): boolean {
  const index = version.findIndex((part, at) => part !== than[at]);
  return index >= 0 && (version[index] ?? 0) < (than[index] ?? 0);
}

export function formatVersion(version: Version): string {
  return version.join(".");
}
