import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ONE_THREAD, type ServerKind } from "./server.ts";

const SERVING = resolve(import.meta.dirname, "../..");

/** The folder that `/app` is in the image, written to a folder. */
function assembleImage(folder: string): void {
  const program = join(SERVING, "image", "assemble.ts");
  const { status, stderr } = spawnSync(process.execPath, [program, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the image's folder cannot be assembled:\n${stderr}`);
}

/** The arguments of `node` in the image's entry point, with the image's folder for `/app`. */
function entryPoint(folder: string): string[] {
  const line = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(SERVING, "Dockerfile"), "utf8"))?.[1] ?? "[]";
  const [node, ...args] = JSON.parse(line) as string[];
  if (!node?.endsWith("/node")) throw new Error("the Dockerfile's entry point is not node");
  return args.map((argument) => argument.replace(/^\/app\//, `${folder}/`));
}

/** The variables that the image sets. */
function imageEnvironment(): Record<string, string> {
  const [, block = ""] = /^ENV ((?:.*\\\n)*.*)$/m.exec(readFileSync(join(SERVING, "Dockerfile"), "utf8")) ?? [];
  const pairs = [...block.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]);
  if (pairs.length === 0) throw new Error("the Dockerfile sets no variables");
  return Object.fromEntries(pairs);
}

/**
 * This repository's server, as its image runs it.
 * @param scratch takes the image's folder, unless an assembled one is given.
 */
export function ours(scratch: string, assembled?: string): ServerKind {
  const folder = assembled === undefined ? scratch : resolve(assembled);
  if (assembled === undefined) assembleImage(folder);
  const args = entryPoint(folder);
  const { version } = JSON.parse(readFileSync(join(SERVING, "package.json"), "utf8")) as { version: string };
  return {
    id: "ours",
    title: `model-server ${version}`,
    ways: ["json", "binary", "grpc"],
    command: ({ sample, ports, workers }) => ({
      command: process.execPath,
      args,
      cwd: folder,
      environment: {
        ...ONE_THREAD,
        ...imageEnvironment(),
        HOST: "127.0.0.1",
        PORT: String(ports.http),
        GRPC_PORT: String(ports.grpc),
        METRICS_PORT: "0",
        WORKERS: String(workers),
        MODEL_REPOSITORY: sample.repository,
        MODEL_CONTROL: "explicit",
      },
    }),
  };
}
