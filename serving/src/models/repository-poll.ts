import type { Logger } from "../logging/logger.ts";
import { fingerprintModel } from "./fingerprint.ts";
import { listModels } from "./repository-folder.ts";

/** What is told of changes: the catalog. */
export interface Refreshable {
  names(): readonly string[];
  refresh(name: string): Promise<void>;
}

/** Calls the task once, later. @returns takes it back */
export type Schedule = (task: () => void, milliseconds: number) => () => void;

const GONE = "gone";

/**
 * Looks at the repository folder from time to time and has changed models loaded again. A change counts once the model's
 * folder looks the same twice: a folder that is still being copied waits.
 */
export class RepositoryPoll {
  readonly #repository: string;
  readonly #models: Refreshable;
  readonly #log: Logger;
  /** How each model's folder looked last time. */
  #seen = new Map<string, string>();
  /** How it looked when it was loaded, or when loading it was tried. */
  readonly #settled = new Map<string, string>();
  #fault = "";

  constructor(repository: string, models: Refreshable, log: Logger) {
    this.#repository = repository;
    this.#models = models;
    this.#log = log;
  }

  /**
   * Looks every so often, the first time after that time.
   *
   * @returns ends it; settles when a look that is under way is over
   */
  every(milliseconds: number, schedule: Schedule = scheduleTimer): () => Promise<void> {
    let isStopped = false;
    let looking = Promise.resolve();
    let cancel = () => {};
    const next = () => {
      if (isStopped) return;
      cancel = schedule(() => {
        looking = this.look().then(next);
      }, milliseconds);
    };
    next();
    return async () => {
      isStopped = true;
      cancel();
      await looking;
    };
  }

  /** Looks once. Never fails: what goes wrong is logged. */
  async look(): Promise<void> {
    const looks = await this.#fingerprints();
    if (looks === undefined) return;
    for (const name of new Set([...looks.keys(), ...this.#models.names()])) {
      const look = looks.get(name) ?? GONE;
      const isStill = this.#seen.get(name) === look;
      this.#seen.set(name, look);
      if (!isStill || this.#settled.get(name) === look) continue;
      this.#settled.set(name, look);
      // The catalog logs the reason. The next change is the next try.
      await this.#models.refresh(name).catch(() => undefined);
    }
  }

  /** Undefined when the repository cannot be read or is empty: then a volume is missing, and everything stays as it is. */
  async #fingerprints(): Promise<Map<string, string> | undefined> {
    try {
      const folders = await listModels(this.#repository);
      const looks = await Promise.all(
        folders.map(async (folder) => [folder.name, await fingerprintModel(folder)] as const),
      );
      this.#fault = "";
      return new Map(looks);
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== this.#fault) this.#log.error("cannot poll the model repository", { reason });
      this.#fault = reason;
      return undefined;
    }
  }
}

/** Does not keep the process alive. */
function scheduleTimer(task: () => void, milliseconds: number): () => void {
  const timer = setTimeout(task, milliseconds).unref();
  return () => clearTimeout(timer);
}
