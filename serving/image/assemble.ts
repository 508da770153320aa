/**
 * Lays out what the image needs in a folder, and nothing else: the server as a few JavaScript files with its libraries in
 * them, the console page, ONNX Runtime with this platform's library only (its package brings all of them and a downloader), and of every
 * package the manifest and the licence, for scanners and lawyers.
 *
 * Bundled, since to find and load the libraries' hundreds of files one by one takes three times as long at each start.
 *
 * Run by the Dockerfile: `node image/assemble.ts FOLDER`.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildPage } from "../src/console/build-page.ts";
import { PAGE_FILE } from "../src/console/console-page.ts";

const HERE = fileURLToPath(new URL("..", import.meta.url));

/** ONNX Runtime's package, and what of it is loaded at run time. */
const RUNTIME = { name: "onnxruntime-node", library: join("bin", "napi-v6", process.platform, process.arch) };

/** Libraries in CommonJS ask for Node's modules by `require`, which a module does not have. */
const REQUIRE =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

/** Writes the image's `/app` to a folder. */
export async function assemble(target: string): Promise<void> {
  cpSync(join(HERE, "package.json"), join(target, "package.json"));
  for (const folder of await bundle(join(target, "src"))) copyNotices(folder, target);
  writeFileSync(join(target, "src", PAGE_FILE), await buildPage());
  const runtime = installed(RUNTIME.name);
  copyNotices(runtime, target);
  cpSync(join(runtime, RUNTIME.library), join(target, "node_modules", RUNTIME.name, RUNTIME.library), {
    recursive: true,
  });
}

/**
 * Writes the server's files side by side: the entry points, and one for what several share or load late.
 *
 * @returns the folders of the packages that are in them
 */
async function bundle(target: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    absWorkingDir: HERE,
    entryPoints: { main: "src/main.ts", worker: "src/execution/worker.ts" },
    outdir: target,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Without indents and comments an idle server takes 2 MB less. Names are kept, and lines short, so that a stack trace
    // in a log can be read: source maps would be larger than the code, and Node heeds them only at a cost.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    banner: { js: REQUIRE },
    // Only gRPC's channelz service asks for the first, which this server does not offer; the image has the page made.
    external: ["@grpc/proto-loader", "./build-page.ts"],
    // The same in a checkout and in the image's build, whatever lies in the folders above.
    tsconfigRaw: {},
    metafile: true,
    logLevel: "warning",
  });
  const folders = Object.keys(metafile.inputs).flatMap((path) => packageFolder(resolve(HERE, path)) ?? []);
  return new Set(folders);
}

/** The folder of the package that a file belongs to; undefined for the server's own. */
function packageFolder(path: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0];
}

/** Copies a package's manifest and licence to the place where scanners look for them. */
function copyNotices(folder: string, target: string): void {
  const [, ...inside] = folder.split(/[\\/]node_modules[\\/]/);
  const place = join(target, ...inside.flatMap((name) => ["node_modules", name]));
  mkdirSync(place, { recursive: true });
  const licences = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying|thirdpartynotices)/i.test(name));
  // ONNX Runtime's package has none; its description says where the licence is.
  const notices = licences.length > 0 ? licences : ["README.md"];
  for (const name of ["package.json", ...notices]) cpSync(join(folder, name), join(place, name), { recursive: true });
}

/** Where a package is installed: beside this folder in the image's build, above it in a checkout (npm workspaces). */
function installed(name: string): string {
  const roots = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const folder = roots.map((root) => join(root, name)).find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`${name} is not installed: run npm ci first`);
  return folder;
}

if (import.meta.main) {
  const target = process.argv[2];
  if (target === undefined) throw new Error("usage: node image/assemble.ts FOLDER");
  await assemble(target);
}
