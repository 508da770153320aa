import {
  chmodSync,
  copyFileSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { LabError } from "../progress/error.ts";
import type { Step } from "../progress/step.ts";
import { pack, packageEntries } from "./debian-root.ts";
import { addLayer, finishLayout, makeLayout } from "./layout.ts";
import { type ImageParts, NODE_BINARY, NODE_VERSION, STAND_IN_LABELS } from "./node-image.ts";

/** The packages whose files the image has, as in the image that it stands for. */
const PACKAGES = [
  "base-files",
  "ca-certificates",
  "gcc-12-base",
  "libc6",
  "libgcc-s1",
  "libgomp1",
  "libssl3",
  "libstdc++6",
  "netbase",
  "tzdata",
];
/** What these packages bring and a program without a shell has no use for. */
const LEFT_OUT =
  /^(bin|sbin|usr\/bin|usr\/sbin|etc\/(profile|update-motd|issue|motd|dpkg|skel|kernel)|usr\/share\/(man|info|locale|lintian|base-files|debconf|gdb|gcc)|usr\/lib\/x86_64-linux-gnu\/(audit|gconv))(\/|$|\.)/;
const CERTIFICATES = "etc/ssl/certs/ca-certificates.crt";
const NONROOT = "65532";

/** Makes the stand-in for `distroless/nodejs24-debian12:nonroot`: the C and C++ libraries, certificates, Node; no shell. */
export async function makeDistrolessImage(parts: ImageParts, step: Step): Promise<void> {
  const { root, scratch, layout } = parts;
  const list = join(scratch, "files");
  writeFileSync(list, packageFiles(root).join("\n"));
  const overlay = join(scratch, "overlay");
  writeOverlay(root, overlay);
  const node = join(scratch, "node");
  mkdirSync(join(node, "nodejs/bin"), { recursive: true });
  copyFileSync(NODE_BINARY, join(node, "nodejs/bin/node"));
  chmodSync(join(node, "nodejs/bin/node"), 0o755);
  mkdirSync(join(scratch, "home/home/nonroot"), { recursive: true, mode: 0o700 });

  step.detail = "packing distroless";
  makeLayout(layout);
  const layers = [];
  for (const [folder, options, members] of [
    [root, ["--no-recursion", "--verbatim-files-from", "--files-from", list], []],
    [overlay, ["--owner=0", "--group=0"], ["."]],
    [node, ["--owner=0", "--group=0"], ["."]],
    [join(scratch, "home"), [`--owner=${NONROOT}`, `--group=${NONROOT}`], ["home/nonroot"]],
  ] as const) {
    const archive = join(scratch, `layer-${layers.length}.tar`);
    await pack(step, folder, archive, options, members);
    layers.push(await addLayer(layout, createReadStream(archive)));
  }
  finishLayout(
    layout,
    layers,
    {
      User: NONROOT,
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/nodejs/bin",
        `SSL_CERT_FILE=/${CERTIFICATES}`,
      ],
      Entrypoint: ["/nodejs/bin/node"],
      WorkingDir: "/home/nonroot",
      Labels: {
        ...STAND_IN_LABELS,
        "org.opencontainers.image.title": "distroless/nodejs24-debian12:nonroot (stand-in)",
        "org.opencontainers.image.description":
          "Made by the mlops-actions lab from Debian packages, because the real image could not be pulled",
        "org.opencontainers.image.version": NODE_VERSION,
      },
    },
    parts.created,
  );
}

/** The files of the packages and the folders above them, relative to the root and sorted. */
function packageFiles(root: string): string[] {
  const found = new Set<string>([CERTIFICATES]);
  for (const name of PACKAGES) {
    for (const line of packageList(root, name)) {
      // Debian's package lists still say /lib, which is a link to /usr/lib.
      const path = line.slice(1).replace(/^(lib|lib64|bin|sbin)(?=\/)/, "usr/$1");
      if (path === "" || path === "." || LEFT_OUT.test(path)) continue;
      const entry = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (entry?.isFile() || entry?.isSymbolicLink()) found.add(path);
    }
  }
  for (const path of [...found]) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) found.add(folder);
  }
  return [...found].sort();
}

function packageList(root: string, name: string): string[] {
  const info = join(root, "var/lib/dpkg/info");
  const file = readdirSync(info).find((entry) => entry === `${name}.list` || entry === `${name}:amd64.list`);
  if (!file)
    throw new LabError("DEBIAN_PACKAGE_CONTENT", `Debian's minimal system lacks the package ${name}`, {
      remedy: "run the command again",
    });
  return readFileSync(join(info, file), "utf8").trim().split("\n");
}

/** What belongs to no package: users, name resolution, the links of a merged /usr, the package database for scanners. */
function writeOverlay(root: string, overlay: string): void {
  const database = join(overlay, "var/lib/dpkg/status.d");
  mkdirSync(database, { recursive: true });
  const entries = packageEntries(root);
  for (const name of PACKAGES) writeFileSync(join(database, name), `${entries.get(name) ?? ""}\n`);
  mkdirSync(join(overlay, "etc"));
  writeFileSync(
    join(overlay, "etc/passwd"),
    `root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/home/nonroot:/sbin/nologin\n`,
  );
  writeFileSync(
    join(overlay, "etc/group"),
    `root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:${NONROOT}:\n`,
  );
  writeFileSync(join(overlay, "etc/nsswitch.conf"), "hosts: files dns\n");
  for (const name of ["lib", "lib64"]) symlinkSync(`usr/${name}`, join(overlay, name));
  for (const folder of ["proc", "sys", "dev", "run", "root", "home"]) mkdirSync(join(overlay, folder));
  mkdirSync(join(overlay, "tmp"));
  chmodSync(join(overlay, "tmp"), 0o1777);
}
