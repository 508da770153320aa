import { ProtocolError } from "../protocol/error.ts";
import { quote } from "../protocol/json.ts";
import type { Model } from "./model.ts";
import type { ModelLocation } from "./repository-folder.ts";

/** The models of the repository: known from the start, served once loaded. */
export class ModelStore {
  /** By name, then by version; undefined while it loads. */
  readonly #models = new Map<string, Map<string, Model | undefined>>();

  /** @param locations by rising version: a model's last one is its default */
  constructor(locations: readonly ModelLocation[]) {
    for (const { name, version } of locations) {
      const versions = this.#models.get(name) ?? new Map<string, Model | undefined>();
      this.#models.set(name, versions.set(version, undefined));
    }
  }

  /** From now on this model is served. */
  add(model: Model): void {
    this.#models.get(model.name)?.set(model.version, model);
  }

  /**
   * The versions of a model, lowest first.
   *
   * @throws ProtocolError (404) when there is no such model
   */
  versions(name: string): string[] {
    return [...this.#versions(name).keys()];
  }

  /**
   * Whether that version of that model (by default its highest) is served.
   *
   * @throws ProtocolError (404) when there is no such model or version
   */
  isReady(name: string, version?: string): boolean {
    return this.#find(name, version) !== undefined;
  }

  /**
   * That version of that model, by default its highest.
   *
   * @throws ProtocolError 404 when there is no such model or version, 503 while it loads
   */
  get(name: string, version?: string): Model {
    const model = this.#find(name, version);
    if (model !== undefined) return model;
    throw new ProtocolError(503, `model '${name}' is still loading, try again`, { "retry-after": "1" });
  }

  #find(name: string, version?: string): Model | undefined {
    const versions = this.#versions(name);
    const key = version ?? [...versions.keys()].at(-1) ?? "";
    if (versions.has(key)) return versions.get(key);
    throw new ProtocolError(
      404,
      `model '${name}' has no version ${quote(key)}; it has: ${[...versions.keys()].join(", ")}`,
    );
  }

  #versions(name: string): Map<string, Model | undefined> {
    const versions = this.#models.get(name);
    if (versions !== undefined) return versions;
    const known = [...this.#models.keys()].join(", ");
    throw new ProtocolError(404, `there is no model ${quote(name)}; this server has: ${known}`);
  }
}
