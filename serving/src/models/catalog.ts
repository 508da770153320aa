import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import type { ExecutionSettings } from "../execution/open-model.ts";
import type { ExecutionListener } from "../execution/statistics.ts";
import type { LogFields, Logger } from "../logging/logger.ts";
import { ProtocolError } from "../protocol/error.ts";
import { quote } from "../protocol/signature.ts";
import type { Catalog, IndexEntry } from "../service.ts";
import { ModelError } from "./error.ts";
import type { Model } from "./model.ts";
import { ModelEntry } from "./model-entry.ts";
import { identify, type LoadedVersion, type OpenModel, openVersion } from "./open-version.ts";
import { noSuchModel, notServed } from "./refusal.ts";
import { findModel, listModels, type ModelFolder } from "./repository-folder.ts";
import { Turns } from "./turns.ts";
import { planVersions, type VersionSource } from "./version-source.ts";

export interface CatalogOptions {
  /** Path of the model repository. */
  readonly repository: string;
  /** How models are run that do not say otherwise. */
  readonly settings: ExecutionSettings;
  /** `openModel` of `execution/`. */
  readonly open: OpenModel;
  /** Where a model's executions are counted. */
  readonly executions: (model: string, version: string) => ExecutionListener;
  readonly log: Logger;
}

/** What came of loading the versions that a model's policy names. */
interface Attempt {
  readonly loaded: readonly LoadedVersion[];
  /** Why versions could not be loaded, by version; "" stands for the model. */
  readonly faults: ReadonlyMap<string, string>;
}

/**
 * The models of a repository folder. A fault in one leaves the others; a model that is loaded again is served as it was
 * until all its versions are ready, and stays so when one of them cannot be.
 */
export class ModelCatalog implements Catalog {
  readonly #options: CatalogOptions;
  readonly #entries = new Map<string, ModelEntry>();
  readonly #turns = new Turns();
  /** What is loaded from then on is loaded beside requests. */
  #hasStarted = false;
  #isClosing = false;

  private constructor(options: CatalogOptions, folders: readonly ModelFolder[]) {
    this.#options = options;
    for (const { name } of folders) this.#entries.set(name, new ModelEntry(name, true));
  }

  /**
   * A catalog that knows the repository's models and has loaded none yet.
   *
   * @throws ModelError when the repository is missing, cannot be read or is empty
   */
  static async create(options: CatalogOptions): Promise<ModelCatalog> {
    return new ModelCatalog(options, await listModels(options.repository));
  }

  /**
   * Loads every model, one after the other. Faults are logged and told by {@link index}.
   *
   * @param stop no more models are loaded once it is aborted
   * @throws ModelError when none can be served, with the reasons
   */
  async start(stop?: AbortSignal): Promise<void> {
    const faults: string[] = [];
    for (const name of [...this.#entries.keys()]) {
      // Between two models probes are answered and SIGTERM is heard.
      await turnOfTheLoop();
      if (stop?.aborted) return;
      await this.load(name).catch((error: Error) => faults.push(error.message));
    }
    if (this.models().length === 0) throw new ModelError(faults.join("; "));
    this.#hasStarted = true;
  }

  /**
   * Whether every model that was there at the start was loaded whole at least once, or was unloaded by request. What goes
   * wrong later does not change it: a model that was added or changed while the server runs costs nobody the others.
   */
  allReady(): boolean {
    return ![...this.#entries.values()].some(({ isOwed }) => isOwed);
  }

  get(name: string, version?: string): Model {
    const entry = this.#entry(name);
    const model = entry.find(version);
    if (model === undefined) throw notServed(entry, version);
    return model;
  }

  isReady(name: string, version?: string): boolean {
    const entry = this.#entry(name);
    if (entry.find(version) !== undefined) return true;
    const refusal = notServed(entry, version);
    if (refusal.status === 404) throw refusal;
    return false;
  }

  versions(name: string): readonly string[] {
    return [...this.#entry(name).served.keys()];
  }

  index(): readonly IndexEntry[] {
    return this.names().flatMap((name) => this.#entry(name).index());
  }

  models(): readonly Model[] {
    return [...this.#entries.values()].flatMap(({ served }) => [...served.values()].map(({ model }) => model));
  }

  /** Every model it knows, by name. */
  names(): readonly string[] {
    return [...this.#entries.keys()].sort();
  }

  load(name: string): Promise<void> {
    return this.#turns.take(name, async (hold) => {
      const folder = await this.#find(name);
      if (folder === undefined) throw new ProtocolError(404, `the model repository has no model ${quote(name)}`);
      await this.#reload(folder, () => false, hold);
    });
  }

  /**
   * Brings a model in step with its folder: loads what is new or changed, takes out of service what is gone. A model that
   * was unloaded by request stays so.
   *
   * @throws ProtocolError as {@link load}
   */
  refresh(name: string): Promise<void> {
    return this.#turns.take(name, async (hold) => {
      const entry = this.#entries.get(name);
      if (entry?.isUnloaded) return;
      const folder = await this.#find(name);
      if (folder === undefined || folder.isBare) return this.#remove(name);
      const isSame = async (old: LoadedVersion, source: VersionSource) => old.identity === (await identify(source));
      await this.#reload(folder, isSame, hold);
    });
  }

  unload(name: string): Promise<void> {
    return this.#turns.take(name, async () => {
      const entry = this.#entry(name);
      await this.#retire(entry.withdraw());
      entry.withdrawn();
      this.#options.log.info("model unloaded", { model: name });
    });
  }

  /** Takes everything out of service; requests in flight finish. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#turns.idle();
    await Promise.all([...this.#entries.values()].map((entry) => this.#retire(entry.withdraw())));
  }

  #entry(name: string): ModelEntry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw noSuchModel(name, this.#entries.keys());
    return entry;
  }

  async #find(name: string): Promise<ModelFolder | undefined> {
    if (this.#isClosing) throw new ProtocolError(503, "the server is stopping");
    return findModel(this.#options.repository, name).catch((error: Error) => {
      throw new ProtocolError(400, `cannot load model '${name}': ${error.message}`);
    });
  }

  /** @param isSame whether a version that is served can stay as it is */
  async #reload(
    folder: ModelFolder,
    isSame: (old: LoadedVersion, source: VersionSource) => boolean | Promise<boolean>,
    hold: (work: Promise<unknown>) => void,
  ): Promise<void> {
    const { name } = folder;
    const { log } = this.#options;
    const entry = this.#entries.get(name) ?? new ModelEntry(name, false);
    this.#entries.set(name, entry);
    const { loaded, faults } = await this.#attempt(entry, folder, isSame);
    const reasons = [...faults].map(([version, reason]) => (version === "" ? reason : `version ${version}: ${reason}`));
    const reason = reasons.join("; ");
    if (faults.size > 0 && entry.served.size > 0) {
      entry.keep(faults, reason);
      await this.#retire(loaded.filter((version) => entry.served.get(version.model.version) !== version));
      log.error("reload failed, the model is served as it was", { model: name, reason });
    } else {
      hold(this.#retire(entry.serve(loaded, faults)));
      if (faults.size > 0) log.error("cannot serve model", { model: name, reason });
    }
    if (faults.size > 0) throw new ProtocolError(400, `cannot serve model '${name}': ${reason}`);
  }

  async #attempt(
    entry: ModelEntry,
    folder: ModelFolder,
    isSame: (old: LoadedVersion, source: VersionSource) => boolean | Promise<boolean>,
  ): Promise<Attempt> {
    const loaded: LoadedVersion[] = [];
    const faults = new Map<string, string>();
    entry.expect([]);
    try {
      const sources = await planVersions(folder, this.#options.settings);
      entry.expect(sources.map(({ version }) => version));
      for (const source of sources) {
        const old = entry.served.get(source.version);
        const version = old !== undefined && (await isSame(old, source)) ? old : await this.#open(source, faults);
        if (version !== undefined) loaded.push(version);
      }
    } catch (error) {
      faults.set("", messageOf(error));
    }
    return { loaded, faults };
  }

  async #open(source: VersionSource, faults: Map<string, string>): Promise<LoadedVersion | undefined> {
    const { open, executions, log } = this.#options;
    const fields = { model: source.name, version: source.version };
    const started = performance.now();
    try {
      const warn = (reason: string) => log.warn("warm-up failed, served without", { ...fields, reason });
      const listen = executions(source.name, source.version);
      const version = await openVersion(source, { open, listen, warn, whileServing: this.#hasStarted });
      log.info("model loaded", {
        ...fields,
        ...planOf(version),
        milliseconds: Math.round(performance.now() - started),
      });
      return version;
    } catch (error) {
      faults.set(source.version, messageOf(error));
      return undefined;
    }
  }

  async #remove(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    await this.#retire(entry.withdraw());
    this.#entries.delete(name);
    this.#options.log.info("model is gone from the repository, unloaded", { model: name });
  }

  async #retire(versions: readonly LoadedVersion[]): Promise<void> {
    const closed = await Promise.allSettled(versions.map(({ model }) => model.close()));
    for (const result of closed) {
      if (result.status === "rejected") {
        this.#options.log.error("cannot free a model", { reason: messageOf(result.reason) });
      }
    }
  }
}

/** What warm-up decided, for the log. */
function planOf({ model: { plan } }: LoadedVersion): LogFields {
  const { mode, sessions, maxBatchSize, warmUpMs } = plan;
  return {
    mode,
    sessions,
    maxBatchSize,
    ...(warmUpMs !== undefined && { runMilliseconds: Number(warmUpMs.toFixed(3)) }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
