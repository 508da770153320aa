import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { digestOf } from "../../src/oci/digest.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/manifest.ts";
import { formatImage, parseRepository } from "../../src/oci/reference.ts";
import { RegistryClient } from "../../src/oci/registry.ts";

let base: Buffer | undefined;

/**
 * Pushes an image of the test server of `fixture/server.mjs`: one layer with this Node and the libraries that it needs, one
 * with the server. Images differ by their mode, which is the default of MODE, and by `salt`.
 *
 * @returns `registry/path@sha256:…`
 */
export async function pushModelImage(repository: string, mode = "good", salt = ""): Promise<string> {
  const named = parseRepository(repository);
  const registry = new RegistryClient(named);
  base ??= layerOfNode();
  const layers = [
    base,
    layerOf((folder) => cpSync(join(import.meta.dirname, "fixture"), join(folder, "app"), { recursive: true })),
  ];
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: {
        User: "1000",
        Env: [`MODE=${mode}`, `SALT=${salt}`],
        Entrypoint: ["/bin/node", "/app/server.mjs"],
      },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
    }),
  );
  const put = async (bytes: Buffer, mediaType: string): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await registry.putBlob({ ...descriptor, open: () => new Uint8Array(bytes) });
    return descriptor;
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await put(config, "application/vnd.oci.image.config.v1+json"),
    layers: await Promise.all(layers.map((layer) => put(layer, "application/vnd.oci.image.layer.v1.tar"))),
  };
  const stored = await registry.putManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
  return formatImage({ ...named, digest: stored.digest });
}

function layerOfNode(): Buffer {
  return layerOf((folder) => {
    const put = (path: string, at: string) => {
      mkdirSync(dirname(join(folder, at)), { recursive: true });
      writeFileSync(join(folder, at), readFileSync(realpathSync(path)), { mode: 0o755 });
    };
    put(process.execPath, "/bin/node");
    const listed = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
    for (const [, path = ""] of listed.matchAll(/(\/\S+) \(0x/g)) put(path, path);
    mkdirSync(join(folder, "tmp"), { mode: 0o777 });
  });
}

/** A tar of what `fill` writes. Times and owners are fixed, so that the same content gives the same digest. */
function layerOf(fill: (folder: string) => void): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "layer-"));
  try {
    fill(folder);
    const flags = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    return execFileSync("tar", [...flags, "-C", folder, "-cf", "-", "."], { maxBuffer: 512 * 1024 * 1024 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
