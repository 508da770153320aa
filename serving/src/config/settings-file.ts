import { readFile } from "node:fs/promises";
import { SettingsError } from "./error.ts";
import { FLAGS } from "./flags.ts";

/** Values by flag name, as text. */
export type SettingsFile = ReadonlyMap<string, string>;

/**
 * Reads a settings file: an object whose keys are the flags' names. A name that ends with `.json` is JSON, any other YAML.
 *
 * @throws SettingsError when it cannot be read, is no such object, or has a key that is no flag
 */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
  const content = await parse(path, await read(path));
  // An empty YAML file is null.
  if (content === null) return new Map();
  if (typeof content !== "object" || Array.isArray(content)) {
    throw new SettingsError(`settings file '${path}' is no object with the flags' names as keys`);
  }
  const names = new Set<string>(Object.values(FLAGS).map(({ name }) => name));
  names.delete(FLAGS.configFile.name);
  return new Map(
    Object.entries(content).map(([key, value]: [string, unknown]) => {
      if (!names.has(key))
        throw new SettingsError(`settings file '${path}' has an unknown key '${key}'${hint(key, names)}`);
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
        throw new SettingsError(`settings file '${path}': ${key} is no text, number or boolean`);
      }
      return [key, String(value)];
    }),
  );
}

/** People write the variable's name, or camel case. */
function hint(key: string, names: ReadonlySet<string>): string {
  const kebab = key
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
  return names.has(kebab) ? `, did you mean '${kebab}'?` : "; --help lists the flags";
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new SettingsError(`settings file '${path}' cannot be read: ${messageOf(error)}`);
  }
}

async function parse(path: string, text: string): Promise<unknown> {
  try {
    if (path.endsWith(".json")) return JSON.parse(text);
    // Loaded late: most servers have no such file.
    const { default: yaml } = await import("yaml");
    return yaml.parse(text);
  } catch (error) {
    const format = path.endsWith(".json") ? "JSON" : "YAML";
    throw new SettingsError(`settings file '${path}' is not valid ${format}: ${messageOf(error).split("\n", 1)[0]}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
