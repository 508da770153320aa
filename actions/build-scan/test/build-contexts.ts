import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes a build context into a folder, by path and content. */
export function writeContext(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** An image of one small file. `mark` makes its bytes its own. */
export const cleanContext = (mark: string) => ({
  Dockerfile: "FROM scratch\nCOPY mark /mark\n",
  mark: `${mark}\n`,
});

/** The same with minimist 1.2.5 in it: CVE-2021-44906, critical. */
export const vulnerableContext = (mark: string) => ({
  Dockerfile: "FROM scratch\nCOPY mark /mark\nCOPY app /app\n",
  mark: `${mark}\n`,
  "app/node_modules/minimist/package.json": JSON.stringify({ name: "minimist", version: "1.2.5", license: "MIT" }),
});
