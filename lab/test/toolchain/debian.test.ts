import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { distribution, findSystemProgram, takeDebian } from "../../src/toolchain/debian.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();
const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

test.each([
  ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', "bookworm"],
  ["ID=debian\nPRETTY_NAME=sid\n", "debian-rolling"],
  ['ID=arch\nVERSION_ID="2026.01"\n', "arch-2026.01"],
])("the release of %j is %s", (osRelease, release) => {
  expect(distribution(osRelease)).toBe(release);
});

/** A package system of three little programs, whose only package `etcd-server` is not installed. */
function packageSystem(downloadable = true): void {
  const bin = join(scratch.root, "bin");
  mkdirSync(bin);
  const programs = {
    "dpkg-query": "exit 1",
    "apt-get": downloadable
      ? "case $1 in download) touch etcd-server_1_amd64.deb ;; esac"
      : 'case $* in *update*) touch "$0.updated" ;; download*) [ -e "$0.updated" ] && touch etcd-server_1_amd64.deb ;; esac',
    "dpkg-deb": 'mkdir -p "$3/usr/bin" && printf "etcd" > "$3/usr/bin/etcd"',
    sudo: 'shift; exec "$@"',
  };
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env.PATH = `${bin}:${path}`;
}

test("a program is taken out of a downloaded package, and nothing else stays", async () => {
  packageSystem();
  await takeDebian({ kind: "debian", package: "etcd-server", executables: ["etcd"] }, scratch.root, scratch.step());
  expect(existsSync(join(scratch.root, "bin/etcd"))).toBe(true);
  expect(readdirSync(scratch.root).filter((name) => name.startsWith("deb-"))).toEqual([]);
});

test("a download that fails is tried again with fresh package lists", async () => {
  packageSystem(false);
  await takeDebian({ kind: "debian", package: "etcd-server", executables: ["etcd"] }, scratch.root, scratch.step());
  expect(existsSync(join(scratch.root, "bin/etcd"))).toBe(true);
});

test("a package without the program is named", async () => {
  packageSystem();
  const taking = takeDebian(
    { kind: "debian", package: "etcd-server", executables: ["etcdctl"] },
    scratch.root,
    scratch.step(),
  );
  await expect(taking).rejects.toMatchObject({
    code: "DEBIAN_PACKAGE_CONTENT",
    message: expect.stringContaining("etcdctl"),
  });
});

test("a system program is found in the system's folders first, and never among the toolchain's own links", () => {
  const [links, own, system] = ["cache/tools/.bin/0123", "own", "system"].map((name) => join(scratch.root, name));
  for (const folder of [links, own, system]) {
    mkdirSync(folder ?? "", { recursive: true });
    writeFileSync(join(folder ?? "", "ipset"), "#!/bin/sh\n", { mode: 0o755 });
  }
  process.env.PATH = `${links}:${own}`;
  expect(findSystemProgram("ipset", system)).toBe(join(system ?? "", "ipset"));
  expect(findSystemProgram("ipset", "/none")).toBe(join(own ?? "", "ipset"));
  process.env.PATH = links;
  expect(findSystemProgram("ipset", "/none")).toBeUndefined();
});
