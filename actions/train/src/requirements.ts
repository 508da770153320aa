import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ActionError } from "../../shared/src/action-runtime/error.ts";

/** A requirements file of pip, with the files that it names. */
export interface Requirements {
  /** Absolute. */
  readonly path: string;
  /** Whether its packages are pinned by hashes, which pip then demands of every one. */
  readonly hashed: boolean;
  /** Whether it names packages in the checkout, whose content the text does not say. */
  readonly local: boolean;
  /** SHA-256, hexadecimal, over its text and that of the files that it includes. */
  readonly hash: string;
}

/** @throws ActionError `REQUIREMENTS_NOT_FOUND` */
export async function readRequirements(path: string, shown: string): Promise<Requirements> {
  const texts = new Map<string, string>();
  const visit = async (file: string): Promise<void> => {
    if (texts.has(file)) return;
    const text = await readFile(file, "utf8").catch((cause: unknown) => {
      throw new ActionError("REQUIREMENTS_NOT_FOUND", {
        message: `the requirements file '${file === path ? shown : file}' cannot be read in the checked-out repository`,
        remedy: "name its path, relative to the workspace, with `requirements`",
        cause,
      });
    });
    texts.set(file, text);
    for (const [, included = ""] of text.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[\s=]\s*(\S+)/gm))
      if (!/^\w+:\/\//.test(included)) await visit(resolve(dirname(file), included));
  };
  await visit(path);
  const all = [...texts.values()];
  const hash = createHash("sha256");
  for (const text of all) hash.update(`${text.length}\n${text}`);
  return {
    path,
    hashed: all.some((text) => /--hash[=\s]/.test(text)),
    local: all.some((text) => /^\s*(?:-e\s|--editable|\.{0,2}\/|file:)|@\s*file:/m.test(text)),
    hash: hash.digest("hex"),
  };
}
