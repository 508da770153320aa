/** A tag, parameter or metric as MLflow's API writes it. */
export interface Entry<V = string> {
  readonly key: string;
  readonly value: V;
}

/** Tags by key, as the API's list; empty ones are left out. */
export function toEntries(tags: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(tags)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => ({ key, value }));
}

export function fromEntries<V>(entries: readonly Entry<V>[] | undefined): Record<string, V> {
  return Object.fromEntries((entries ?? []).map(({ key, value }) => [key, value]));
}
