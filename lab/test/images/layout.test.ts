import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addLayer, finishLayout, makeLayout, readLayout, sha256, storeBlob } from "../../src/images/layout.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "layout-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const CONFIGURATION = { Env: [], WorkingDir: "/", Labels: { "io.mlops-actions.stand-in": "true" } };

async function image(name: string, content: string): Promise<string> {
  const folder = join(root, name);
  makeLayout(folder);
  const layer = await addLayer(folder, Readable.from([Buffer.from(content)]));
  finishLayout(folder, [layer], CONFIGURATION, "2026-01-01T00:00:00.000Z");
  return folder;
}

test("the same content makes the same image, other content another", async () => {
  const [one, same, other] = await Promise.all([image("one", "files"), image("same", "files"), image("other", "more")]);
  expect(readLayout(one).digest).toBe(readLayout(same).digest);
  expect(readLayout(one).digest).not.toBe(readLayout(other).digest);
});

test("the manifest, the configuration and the layer lie under their digests, and say what they are", async () => {
  const layout = readLayout(await image("one", "files"));
  expect(sha256(layout.manifest)).toBe(layout.digest);
  for (const { digest, size } of layout.blobs) {
    expect(sha256(readFileSync(layout.file(digest)))).toBe(digest);
    expect(readFileSync(layout.file(digest)).length).toBe(size);
  }
  const configuration = JSON.parse(readFileSync(layout.file(layout.blobs[0]?.digest ?? ""), "utf8"));
  expect(configuration).toMatchObject({ os: "linux", architecture: "amd64", config: CONFIGURATION });
  expect(configuration.rootfs.diff_ids).toEqual([sha256("files")]);
});

test("a manifest that was changed is refused", async () => {
  const folder = await image("one", "files");
  writeFileSync(readLayout(folder).file(readLayout(folder).digest), "{}");
  expect(() => readLayout(folder)).toThrow(expect.objectContaining({ code: "LAYOUT_DAMAGED" }));
});

test("content that does not have its digest is not stored", async () => {
  const folder = join(root, "pulled");
  makeLayout(folder);
  const expected = { mediaType: "x", digest: sha256("expected"), size: 8 };
  await expect(storeBlob(folder, expected, Readable.from([Buffer.from("tampered")]))).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
  });
});
