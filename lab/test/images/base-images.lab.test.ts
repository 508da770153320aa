import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BaseImage, ensureBaseImages } from "../../src/images/base-images.ts";
import { Progress } from "../../src/progress/progress.ts";
import { runChild } from "../../src/progress/run-child.ts";
import { ensureToolchain, type Toolchain } from "../../src/toolchain/toolchain.ts";

const folder = mkdtempSync(join(tmpdir(), "base-images-"));
const lines: string[] = [];
const progress = new Progress({ logs: join(folder, "logs"), output: { write: (text: string) => lines.push(text) } });
let toolchain: Toolchain;
let registry: ChildProcess;
let address: string;
let images: BaseImage[];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

beforeAll(async () => {
  toolchain = await ensureToolchain(["docker-registry", "debootstrap"], progress);
  address = `127.0.0.1:${await freePort()}`;
  const configuration = join(folder, "registry.json");
  const storage = { filesystem: { rootdirectory: join(folder, "registry") } };
  writeFileSync(
    configuration,
    JSON.stringify({ version: "0.1", log: { level: "error" }, storage, http: { addr: address } }),
  );
  registry = spawn(toolchain.path("docker-registry"), ["serve", configuration], { stdio: "ignore" });
  for (let attempt = 0; attempt < 100; attempt++) {
    if (
      await fetch(`http://${address}/v2/`).then(
        (response) => response.ok,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  images = await ensureBaseImages(address, toolchain, progress);
}, 600_000);

afterAll(() => {
  registry.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** An image of the registry, unpacked. */
async function unpack(repository: string, digest: string) {
  const get = async (path: string) =>
    fetch(`http://${address}/v2/${repository}/${path}`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
  const manifest = (await (await get(`manifests/${digest}`)).json()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const root = join(folder, digest.slice(7, 19));
  mkdirSync(root);
  for (const layer of manifest.layers) {
    const file = join(folder, "layer.tgz");
    writeFileSync(file, Buffer.from(await (await get(`blobs/${layer.digest}`)).arrayBuffer()));
    await runChild("tar", ["-xzf", file, "-C", root]);
  }
  const configuration = (await (await get(`blobs/${manifest.config.digest}`)).json()) as {
    config: { User?: string; Entrypoint: string[]; Labels: Record<string, string> };
  };
  return { root, ...configuration.config };
}

const inside = async (root: string, user: string, ...command: string[]) =>
  (
    await runChild("chroot", [`--userspec=${user}`, root, ...command], {
      environment: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" },
    })
  ).stdout.trim();

test("both names are in the registry, and stand-ins are called so", () => {
  expect(images.map(({ name }) => name)).toEqual([
    "docker.io/library/node:24-bookworm-slim",
    "gcr.io/distroless/nodejs24-debian12:nonroot",
  ]);
  expect(images.map(({ mirrored }) => mirrored)).toEqual([
    `${address}/library/node:24-bookworm-slim`,
    `${address}/distroless/nodejs24-debian12:nonroot`,
  ]);
  for (const { standIn, name } of images) expect(lines.join("").includes(`${name} (stand-in)`)).toBe(standIn);
});

test("the Node image runs node and npm, and has a user for it", async () => {
  const image = await unpack("library/node", images[0]?.digest ?? "");
  expect(await inside(image.root, "0:0", "docker-entrypoint.sh", "--version")).toMatch(/^v24\./);
  expect(await inside(image.root, "1000:1000", "npm", "--version")).toMatch(/^11\./);
  expect(await inside(image.root, "1000:1000", "id", "--user", "--name")).toBe("node");
  expect(await inside(image.root, "0:0", "dpkg-query", "--show", "--showformat=$" + "{Package}", "libc6")).toBe(
    "libc6",
  );
});

test("the distroless image runs node as nonroot and has no shell, and scanners find its packages", async () => {
  const image = await unpack("distroless/nodejs24-debian12", images[1]?.digest ?? "");
  expect(image).toMatchObject({ User: "65532", Entrypoint: ["/nodejs/bin/node"] });
  const program =
    "const os = require('node:os'); console.log(process.versions.node.split('.')[0], os.userInfo().username, os.homedir())";
  expect(await inside(image.root, "65532:65532", "/nodejs/bin/node", "-e", program)).toBe("24 nonroot /home/nonroot");
  expect(
    (await runChild("find", [image.root, "-name", "sh", "-o", "-name", "bash", "-o", "-name", "busybox"])).stdout,
  ).toBe("");
  const packages = (await runChild("ls", [join(image.root, "var/lib/dpkg/status.d")])).stdout;
  expect(packages.trim().split("\n")).toEqual(expect.arrayContaining(["libc6", "libstdc++6"]));
});

test("a registry that has them is left alone", async () => {
  lines.length = 0;
  const started = performance.now();
  expect(await ensureBaseImages(address, toolchain, progress)).toEqual(images);
  expect(performance.now() - started).toBeLessThan(500);
  expect(lines).toEqual([]);
});
