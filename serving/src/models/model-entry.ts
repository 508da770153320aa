import type { IndexEntry } from "../service.ts";
import type { Model } from "./model.ts";
import type { LoadedVersion } from "./open-version.ts";

/** A version that cannot be asked for, and why. */
interface Absent {
  readonly state: Exclude<IndexEntry["state"], "READY">;
  readonly reason: string;
}

/** Stands for a version where a model has none: its folder or its `config.json` is at fault. */
const NO_VERSION = "";

/** What the catalog knows about one model: what it serves of it, and why not the rest. */
export class ModelEntry {
  readonly name: string;
  /** Whether the server is not ready before this model is: it was there at the start and never loaded whole since. */
  isOwed: boolean;
  /** Taken out of service by request: only a request puts it back. */
  isUnloaded = false;
  /** By rising version. */
  #served: ReadonlyMap<string, LoadedVersion> = new Map();
  #highest: Model | undefined;
  #absent: ReadonlyMap<string, Absent> = new Map();
  /** Why the last reload left everything as it was; empty when it did not. */
  #reloadFault = "";

  constructor(name: string, isOwed: boolean) {
    this.name = name;
    this.isOwed = isOwed;
    this.expect([]);
  }

  /** That version, by default the highest, when it is served. */
  find(version: string | undefined): Model | undefined {
    return version === undefined ? this.#highest : this.#served.get(version)?.model;
  }

  get served(): ReadonlyMap<string, LoadedVersion> {
    return this.#served;
  }

  /** Every version, by rising number. */
  index(): readonly IndexEntry[] {
    const { name } = this;
    const ready = [...this.#served.keys()].map((version): IndexEntry => {
      return { name, version, state: "READY", reason: this.#reloadFault };
    });
    const absent = [...this.#absent].map(([version, { state, reason }]): IndexEntry => {
      return { name, version, state, reason };
    });
    return [...ready, ...absent].sort((one, other) => Number(one.version) - Number(other.version));
  }

  /** These versions are about to be loaded; without any it is not known yet which. What is served stays. */
  expect(versions: readonly string[]): void {
    this.isUnloaded = false;
    const wanted = versions.length === 0 && this.#served.size === 0 ? [NO_VERSION] : versions;
    this.#absent = new Map(
      wanted
        .filter((version) => !this.#served.has(version))
        .map((version) => [version, { state: "LOADING", reason: "" }] as const),
    );
  }

  /**
   * From now on this is served.
   *
   * @param faults why versions are missing, by version
   * @returns what was served and is no more
   */
  serve(loaded: readonly LoadedVersion[], faults: ReadonlyMap<string, string>): LoadedVersion[] {
    const old = [...this.#served.values()];
    this.#served = new Map(loaded.map((version) => [version.model.version, version]));
    this.#highest = loaded.at(-1)?.model;
    this.#reloadFault = "";
    this.#lack(faults);
    if (faults.size === 0) this.isOwed = false;
    return old.filter((version) => !loaded.includes(version));
  }

  /** A reload failed: what was served stays. */
  keep(faults: ReadonlyMap<string, string>, reason: string): void {
    this.#reloadFault = `serves what was loaded before, for the last reload failed: ${reason}`;
    this.#lack(faults);
  }

  /** From now on nothing is served. @returns what was */
  withdraw(): LoadedVersion[] {
    const old = this.#served;
    this.isOwed = false;
    this.#served = new Map();
    this.#highest = undefined;
    this.#reloadFault = "";
    this.#absent = new Map([...old.keys()].map((version) => [version, { state: "UNLOADING", reason: "" }]));
    return [...old.values()];
  }

  /** What was withdrawn is gone. */
  withdrawn(): void {
    const versions = this.#absent.size === 0 ? [NO_VERSION] : [...this.#absent.keys()];
    this.isUnloaded = true;
    this.#absent = new Map(versions.map((version) => [version, { state: "UNAVAILABLE", reason: "unloaded" }]));
  }

  #lack(faults: ReadonlyMap<string, string>): void {
    this.#absent = new Map(
      [...faults]
        .filter(([version]) => !this.#served.has(version))
        .filter(([version]) => version !== NO_VERSION || this.#served.size === 0)
        .map(([version, reason]) => [version, { state: "UNAVAILABLE", reason }] as const),
    );
  }
}
