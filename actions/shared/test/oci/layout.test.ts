import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { ImageLayout } from "../../src/oci/layout.ts";
import { type Descriptor, mediaTypes } from "../../src/oci/manifest.ts";
import { startRegistry } from "./little-registry.ts";

/** A folder in OCI layout, empty at first. */
function makeLayout() {
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const layout = new ImageLayout(folder);
  const add = (content: string | object, mediaType: string): Descriptor => {
    const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
    const digest = digestOf(bytes);
    writeFileSync(layout.blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const addImage = (what: string) => {
    const [config, layer] = [add(`config of ${what}`, "c"), add(`layer of ${what}`, "l")];
    const manifest = add({ schemaVersion: 2, config, layers: [layer] }, mediaTypes.manifest);
    return { config, layer, manifest };
  };
  const index = (...manifests: Descriptor[]) =>
    writeFileSync(join(folder, "index.json"), JSON.stringify({ manifests }));
  return { layout, add, addImage, index };
}

const puts = (asked: string[]) => asked.map((line) => decodeURIComponent(line.replace(/^PUT .*(\/|digest=)/, "")));

describe("push", () => {
  it("sends blobs first and the manifest last, with the tag on it", async () => {
    const { layout, addImage, index } = makeLayout();
    const { config, layer, manifest } = addImage("one");
    index(manifest);
    const registry = await startRegistry();
    const pushed = await layout.push(registry.client(), "main");
    expect(pushed).toEqual({ digest: manifest.digest, sentBytes: config.size + layer.size });
    expect(puts(registry.asked("PUT"))).toEqual([config.digest, layer.digest, "main"]);
    expect(registry.manifests.get("main")?.bytes).toEqual(await layout.manifestBytes(manifest.digest));
    expect(await layout.push(registry.client(), "main")).toEqual({ digest: manifest.digest, sentBytes: 0 });
  });

  it("sends an index after all that it lists", async () => {
    const { layout, add, addImage, index } = makeLayout();
    const [one, two] = [addImage("one"), addImage("two")];
    const root = add({ schemaVersion: 2, manifests: [one.manifest, two.manifest] }, mediaTypes.index);
    index(root);
    const registry = await startRegistry();
    expect((await layout.push(registry.client())).digest).toBe(root.digest);
    const sent = puts(registry.asked("PUT"));
    expect(
      sent.filter((name) => [one.manifest.digest, two.manifest.digest, root.digest].includes(name as never)),
    ).toEqual([one.manifest.digest, two.manifest.digest, root.digest]);
    expect(registry.manifests.get(root.digest)?.mediaType).toBe(mediaTypes.index);
  });

  it("of an image that lacks a part, or has one cut short, stores no manifest", async () => {
    const { layout, addImage, index } = makeLayout();
    const { layer, manifest } = addImage("one");
    index(manifest);
    const registry = await startRegistry();
    const invalid = { code: "IMAGE_LAYOUT_INVALID", message: expect.stringContaining(layer.digest) };
    writeFileSync(layout.blobPath(layer.digest), "lay");
    await expect(layout.push(registry.client(), "main")).rejects.toMatchObject(invalid);
    rmSync(layout.blobPath(layer.digest));
    await expect(layout.push(registry.client(), "main")).rejects.toMatchObject(invalid);
    expect(registry.manifests.size).toBe(0);
  });

  it("sends no manifest whose bytes were changed", async () => {
    const { layout, addImage, index } = makeLayout();
    const { manifest } = addImage("one");
    index(manifest);
    writeFileSync(layout.blobPath(manifest.digest), "{}");
    const registry = await startRegistry();
    await expect(layout.push(registry.client())).rejects.toMatchObject({ code: "IMAGE_LAYOUT_INVALID" });
    expect(registry.seen).toEqual([]);
  });

  it("wants exactly one image in the folder", async () => {
    const { layout, addImage, index } = makeLayout();
    await expect(layout.root()).rejects.toMatchObject({ code: "IMAGE_LAYOUT_INVALID" });
    index();
    await expect(layout.root()).rejects.toMatchObject({ message: expect.stringContaining("it holds 0 images") });
    index(addImage("one").manifest, addImage("two").manifest);
    await expect(layout.root()).rejects.toMatchObject({ message: expect.stringContaining("it holds 2 images") });
  });
});
