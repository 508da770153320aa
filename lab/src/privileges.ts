import { spawnSync } from "node:child_process";
import { LabError } from "./progress/error.ts";

const REMEDY = "run the command as root, or as a user whom sudo lets in without a password";

/** @throws LabError NOT_ROOT unless this process may make namespaces and mounts. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new LabError("NOT_ROOT", "a lab is made of namespaces and mounts, for which this user lacks the rights", {
    remedy: REMEDY,
  });
}

/**
 * Makes sure that this program runs as root: when it does not, runs its own command line again through sudo, with the same
 * environment, and ends with that one's exit code.
 * @throws LabError NOT_ROOT when sudo is not there or asks for a password.
 */
export function runAsRoot(): void {
  if (process.getuid?.() === 0) return;
  if (spawnSync("sudo", ["--non-interactive", "true"]).status !== 0) requireRoot();
  // sudo resets HOME and PATH even when it is told to keep the environment.
  const kept = ["HOME", "PATH"].flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync("sudo", ["--non-interactive", "--preserve-env", "env", ...kept, ...program], {
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}
