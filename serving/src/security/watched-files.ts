import { readFile, stat } from "node:fs/promises";
import { SettingsError } from "../config/error.ts";
import type { Logger } from "../logging/logger.ts";

/** What files are read for. */
export interface Watched<T> {
  readonly paths: readonly string[];
  /** What they are, for messages: "TLS certificate". */
  readonly subject: string;
  /**
   * Makes a value of the files' contents, in the order of the paths.
   *
   * @throws SettingsError when they cannot be used
   */
  readonly parse: (contents: readonly Buffer[]) => T;
}

/** How soon a change is noticed. */
const CHECK_INTERVAL_MS = 10_000;

/**
 * Files whose contents may change while the server runs, like the secrets of a Kubernetes volume. They are looked at, not
 * watched: such a volume changes by swapping a symlink far above the file, of which a watcher of the file hears nothing.
 */
export class WatchedFiles<T> {
  readonly #watched: Watched<T>;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;
  #seen: string;

  private constructor(watched: Watched<T>, log: Logger, intervalMs: number, value: T, seen: string) {
    this.#watched = watched;
    this.#log = log;
    this.#value = value;
    this.#seen = seen;
    this.#timer = setInterval(() => void this.check(), intervalMs);
    this.#timer.unref();
  }

  /** @throws SettingsError when a file cannot be read or used */
  static async open<T>(watched: Watched<T>, log: Logger, intervalMs = CHECK_INTERVAL_MS): Promise<WatchedFiles<T>> {
    const seen = await fingerprint(watched.paths);
    return new WatchedFiles(watched, log, intervalMs, watched.parse(await contentsOf(watched)), seen);
  }

  /** Of the last contents that could be used. */
  get value(): T {
    return this.#value;
  }

  onChange(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads the files again if they changed. What cannot be used is logged once, and the old value stays. */
  async check(): Promise<void> {
    const seen = await fingerprint(this.#watched.paths);
    // Taken before the files are read: what changes while they are read is seen the next time.
    if (seen === this.#seen) return;
    this.#seen = seen;
    const { subject, parse } = this.#watched;
    try {
      this.#value = parse(await contentsOf(this.#watched));
      for (const listener of this.#listeners) listener(this.#value);
      this.#log.info(`${subject} changed, read again`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn(`${subject} changed, but cannot be used: the old one stays`, { reason });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Different when a file changed, appeared or went. */
async function fingerprint(paths: readonly string[]): Promise<string> {
  const parts = paths.map(async (path) => {
    const file = await stat(path, { bigint: true }).catch(() => undefined);
    return file === undefined ? "none" : `${file.dev}:${file.ino}:${file.size}:${file.mtimeNs}`;
  });
  return (await Promise.all(parts)).join(" ");
}

async function contentsOf({ paths, subject }: Watched<unknown>): Promise<Buffer[]> {
  return Promise.all(
    paths.map((path) =>
      readFile(path).catch((error: Error) => {
        throw new SettingsError(`${subject}: '${path}' cannot be read: ${error.message}`);
      }),
    ),
  );
}
