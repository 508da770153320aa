/**
 * Lays out what the image needs in a folder, and nothing else: the server as JavaScript, its manifest, and ONNX Runtime
 * with this platform's library only (its package brings five platforms and the dependencies of its install script).
 *
 * Run by the Dockerfile: `node image/assemble.ts FOLDER`.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL("..", import.meta.url));

/** What of each package is loaded at run time. The manifests stay, so that scanners see what is inside. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "onnxruntime-node": ["package.json", "dist", join("bin", "napi-v6", process.platform, process.arch)],
  "onnxruntime-common": ["package.json", join("dist", "cjs")],
};

/** Writes the image's `/app` to a folder. */
export function assemble(target: string): void {
  cpSync(join(HERE, "package.json"), join(target, "package.json"));
  const source = join(HERE, "src");
  for (const path of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    const output = join(target, "src", path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, toJavaScript(readFileSync(join(source, path), "utf8")));
  }
  for (const [name, parts] of Object.entries(PACKAGES)) {
    const folder = installed(name);
    for (const part of parts) {
      cpSync(join(folder, part), join(target, "node_modules", name, part), {
        recursive: true,
        filter: (path) => !/\.(d\.ts|map)$/.test(path),
      });
    }
  }
}

/** Where a package is installed: beside this folder in the image's build, above it in a checkout (npm workspaces). */
function installed(name: string): string {
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const folder = roots.map((root) => join(root, name)).find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`${name} is not installed: run npm ci first`);
  return folder;
}

/** Node's own type stripping, done once here: at every start it would cost 50 ms and 15 MB. */
function toJavaScript(typescript: string): string {
  const relative = /((?:from|import) "\.{1,2}\/[^"]+)\.ts"/g;
  return stripTypeScriptTypes(typescript).replace(relative, '$1.js"');
}

if (import.meta.main) {
  const target = process.argv[2];
  if (target === undefined) throw new Error("usage: node image/assemble.ts FOLDER");
  assemble(target);
}
