import { describe, expect, it, onTestFinished, vi } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/manifest.ts";
import { parseRepository } from "../../src/oci/reference.ts";
import { type Blob, RegistryClient } from "../../src/oci/registry.ts";
import { type Answer, startRegistry } from "./little-registry.ts";

const bytes = Buffer.from("layer");
const blob: Blob = { digest: digestOf(bytes), size: bytes.length, open: () => new Uint8Array(bytes) };
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [] }));
const upload = "/v2/acme/digits/blobs/uploads/1";

/** Answers the first `times` requests that begin so in this way. */
function first(times: number, start: string, answer: Answer | "cut") {
  let left = times;
  return ({ method, url }: { method: string; url: string }) =>
    `${method} ${url}`.startsWith(start) && left-- > 0 ? answer : undefined;
}

describe("a push", () => {
  it("sends a blob once, and finds it by its digest the second time", async () => {
    const registry = await startRegistry();
    expect(await registry.client().putBlob(blob)).toBe(true);
    expect(await registry.client().putBlob(blob)).toBe(false);
    expect(registry.blobs.get(blob.digest)).toEqual(bytes);
    expect(registry.asked("PUT")).toHaveLength(1);
  });

  it.each([
    ["relative to the repository", "blobs/uploads/1", `${upload}?digest=`],
    ["without a host", "/elsewhere/1", "/elsewhere/1?digest="],
    ["with a query of its own", `${upload}?_state=a%2Bb&x=1`, `${upload}?_state=a%2Bb&x=1&digest=`],
  ])("goes on where the registry says, %s", async (_, uploadLocation, target) => {
    const registry = await startRegistry({ uploadLocation });
    await registry.client().putBlob(blob);
    expect(registry.asked("PUT")).toEqual([`PUT ${target}${encodeURIComponent(blob.digest)}`]);
    expect(registry.blobs.has(blob.digest)).toBe(true);
  });

  it.each([
    ["breaks off", "cut" as const],
    ["fails", { status: 500 }],
  ])("opens a new upload when one %s", async (_, answer) => {
    const registry = await startRegistry({ answer: first(2, `PUT ${upload}`, answer) });
    expect(await registry.client().putBlob(blob)).toBe(true);
    expect(registry.asked("POST")).toHaveLength(3);
    expect(registry.asked(`PUT ${upload}`)).toHaveLength(3);
  });

  it.each([
    ["cut", "REGISTRY_UNREACHABLE"],
    ["503", "REGISTRY_REFUSED"],
  ])("is inconclusive when no upload gets through (%s)", async (how, code) => {
    const registry = await startRegistry({ answer: first(9, `PUT ${upload}`, how === "cut" ? how : { status: 503 }) });
    await expect(registry.client().putBlob(blob)).rejects.toMatchObject({ code, blame: "inconclusive" });
    expect(registry.asked("PUT")).toHaveLength(3);
  });

  it("does not send again what the registry refuses", async () => {
    const registry = await startRegistry();
    const wrong = { ...blob, digest: digestOf("other") };
    await expect(registry.client().putBlob(wrong)).rejects.toMatchObject({
      code: "REGISTRY_REFUSED",
      blame: "fail",
      message: expect.stringContaining("HTTP 400 DIGEST_INVALID"),
    });
    expect(registry.asked("PUT")).toHaveLength(1);
  });

  it("is asked about beforehand, and drops the upload that it opened", async () => {
    const registry = await startRegistry();
    await registry.client().checkPush();
    expect(registry.asked()).toEqual(["POST /v2/acme/digits/blobs/uploads/", `DELETE ${upload}`]);
  });
});

describe("a manifest", () => {
  it("is stored under its tag and its digest, and read back by either", async () => {
    const registry = await startRegistry();
    const { digest } = await registry.client().putManifest(manifest, mediaTypes.manifest, "main");
    expect(digest).toBe(digestOf(manifest));
    for (const name of ["main", digest])
      expect(await registry.client().getManifest(name)).toEqual({
        digest,
        mediaType: mediaTypes.manifest,
        bytes: manifest,
      });
    expect(await registry.client().resolveTag("main")).toBe(digest);
  });

  it("gets another tag without its bytes being changed", async () => {
    const registry = await startRegistry();
    const { digest } = await registry.client().putManifest(manifest, mediaTypes.dockerManifest);
    await registry.client().tagManifest(digest, "candidate");
    expect(registry.manifests.get("candidate")).toEqual({ mediaType: mediaTypes.dockerManifest, bytes: manifest });
  });

  it("that is not there is undefined, has no tag, and cannot be tagged", async () => {
    const registry = await startRegistry();
    expect(await registry.client().getManifest(blob.digest)).toBeUndefined();
    expect(await registry.client().resolveTag("main")).toBeUndefined();
    await expect(registry.client().tagManifest(blob.digest, "x")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  it("is resolved by its bytes where the registry does not name its digest", async () => {
    const head = (seen: { method: string }) => (seen.method === "HEAD" ? { status: 200 } : undefined);
    const registry = await startRegistry({ answer: head });
    const { digest } = await registry.client().putManifest(manifest, mediaTypes.manifest, "main");
    expect(await registry.client().resolveTag("main")).toBe(digest);
  });
});

describe("a registry that answers other bytes than were asked for", () => {
  it("is found out by the digest, for manifests and blobs", async () => {
    const registry = await startRegistry();
    const digest = digestOf("asked for");
    registry.manifests.set(digest, { mediaType: mediaTypes.manifest, bytes: manifest });
    registry.blobs.set(digest, bytes);
    const mismatch = { code: "REGISTRY_CONTENT_MISMATCH", message: expect.stringContaining(digest) };
    await expect(registry.client().getManifest(digest)).rejects.toMatchObject(mismatch);
    await expect(registry.client().getBlob(digest)).rejects.toMatchObject(mismatch);
  });
});

describe("a registry in trouble", () => {
  const tag = "/v2/acme/digits/manifests/main";

  it("is asked again, and its answer taken when it comes", async () => {
    const registry = await startRegistry({ answer: first(2, `GET ${tag}`, { status: 503 }) });
    await registry.client().putManifest(manifest, mediaTypes.manifest, "main");
    expect((await registry.client().getManifest("main"))?.bytes).toEqual(manifest);
    expect(registry.asked(`GET ${tag}`)).toHaveLength(3);
  });

  it.each([500, 429])("makes the verdict inconclusive when it goes on with HTTP %i", async (status) => {
    const registry = await startRegistry({ answer: () => ({ status, body: "toomanyrequests" }) });
    const refused = { code: "REGISTRY_REFUSED", blame: "inconclusive" };
    const client = registry.client();
    await Promise.all([
      expect(client.getManifest("main")).rejects.toMatchObject(refused),
      expect(client.resolveTag("main")).rejects.toMatchObject(refused),
      expect(client.getReferrers(blob.digest, "x")).rejects.toMatchObject(refused),
      expect(client.checkPush()).rejects.toMatchObject(refused),
    ]);
  });

  it("is named with the reason when nothing listens", async () => {
    const registry = await startRegistry({ uploadLocation: "http://127.0.0.1:9/upload" });
    await expect(registry.client().putBlob(blob)).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      blame: "inconclusive",
      message: expect.stringContaining("the registry at 127.0.0.1:9 cannot be reached"),
    });
  });
});

describe("Docker Hub", () => {
  it("is asked by its registry's own name", async () => {
    const fetched = vi.fn(async (_: URL) => new Response(null, { status: 404 }));
    vi.stubGlobal("fetch", fetched);
    onTestFinished(() => void vi.unstubAllGlobals());
    await new RegistryClient(parseRepository("docker.io/acme/digits")).resolveTag("main");
    expect(String(fetched.mock.calls[0]?.[0])).toBe("https://registry-1.docker.io/v2/acme/digits/manifests/main");
  });
});

describe("referrers", () => {
  it("are undefined where the registry has no such API", async () => {
    const registry = await startRegistry();
    expect(await registry.client().getReferrers(blob.digest, "x")).toBeUndefined();
  });

  it("are undefined where the answer is a page for people", async () => {
    const html = { status: 200, headers: { "content-type": "text/html" }, body: "<html>" };
    const registry = await startRegistry({ answer: () => html });
    expect(await registry.client().getReferrers(blob.digest, "x")).toBeUndefined();
  });

  it("are read to the last page", async () => {
    const registry = await startRegistry({ referrers: true, pageSize: 2 });
    const subject = { mediaType: mediaTypes.manifest, digest: blob.digest, size: 1 };
    for (let number = 0; number < 5; number += 1)
      await registry.client().putManifest(Buffer.from(JSON.stringify({ number, subject })), mediaTypes.manifest);
    expect(await registry.client().getReferrers(blob.digest, "x")).toHaveLength(5);
    expect(registry.asked("GET /v2/acme/digits/referrers/")).toHaveLength(3);
  });
});
