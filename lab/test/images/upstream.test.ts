import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLayout, sha256 } from "../../src/images/layout.ts";
import { fetchUpstream, upstreamSlot } from "../../src/images/upstream.ts";
import { isFilled, slotFolder } from "../../src/toolchain/cache.ts";
import { useScratchCache } from "../toolchain/scratch-cache.ts";

const scratch = useScratchCache();

const layer = Buffer.from("a layer");
const config = Buffer.from('{"os":"linux"}');
const describe = (mediaType: string, content: Buffer) => ({ mediaType, digest: sha256(content), size: content.length });
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("c", config),
    layers: [describe("l", layer)],
  }),
);
const INDEX = "application/vnd.oci.image.index.v1+json";
const index = (architecture: string) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { mediaType: MANIFEST, digest: sha256("arm"), size: 3, platform: { os: "linux", architecture: "arm64" } },
        { ...describe(MANIFEST, manifest), platform: { os: "linux", architecture } },
      ],
    }),
  );

/** A public registry: it wants a token that it gives to anybody, and has an image for two platforms. */
function registry(options: { architecture?: string; layer?: Buffer } = {}): Server {
  const contents: Record<string, [string, Buffer]> = {
    "/v2/library/node/manifests/24": [INDEX, index(options.architecture ?? "amd64")],
    [`/v2/library/node/manifests/${sha256(manifest)}`]: [MANIFEST, manifest],
    [`/v2/library/node/blobs/${sha256(config)}`]: ["application/octet-stream", config],
    [`/v2/library/node/blobs/${sha256(layer)}`]: ["application/octet-stream", options.layer ?? layer],
  };
  return createServer((request, response) => {
    const base = `http://${request.headers.host}`;
    if (request.url?.startsWith("/token?")) {
      response.end(
        JSON.stringify({
          token:
            new URL(request.url, base).searchParams.get("scope") === "repository:library/node:pull" ? "good" : "bad",
        }),
      );
    } else if (request.headers.authorization !== "Bearer good") {
      response
        .writeHead(401, {
          "www-authenticate": `Bearer realm="${base}/token",service="here",scope="repository:library/node:pull"`,
        })
        .end();
    } else {
      const [type, content] = contents[request.url ?? ""] ?? [];
      if (content) response.writeHead(200, { "content-type": type }).end(content);
      else response.writeHead(404).end();
    }
  });
}

let server: Server;
async function serve(options: Parameters<typeof registry>[0] = {}) {
  server = registry(options);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, repository: "library/node", tag: "24" };
}
let lines: string[];
beforeEach(() => {
  lines = [];
});
afterEach(() => server.close());

test("the image for this platform is pulled with an anonymous token, byte for byte", async () => {
  const image = await serve();
  expect(await fetchUpstream(image, scratch.progress(lines))).toBe(true);
  expect(readLayout(slotFolder(upstreamSlot(image))).digest).toBe(sha256(manifest));
});

test("an image that is not made for this platform is not pulled, and that is said", async () => {
  const image = await serve({ architecture: "s390x" });
  expect(await fetchUpstream(image, scratch.progress(lines))).toBe(false);
  expect(lines.join("")).toContain("there is no library/node:24 for Linux on x64");
});

test("a layer with other bytes than its digest is not kept", async () => {
  const image = await serve({ layer: Buffer.from("another") });
  expect(await fetchUpstream(image, scratch.progress(lines))).toBe(false);
  expect(isFilled(upstreamSlot(image))).toBe(false);
  expect(lines.join("")).toContain(`for ${sha256(layer)}`);
});

test("a registry whose name does not resolve is passed over quickly and silently", async () => {
  await serve();
  const started = performance.now();
  expect(
    await fetchUpstream(
      { host: "no-such-host.invalid", repository: "library/node", tag: "24" },
      scratch.progress(lines),
    ),
  ).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
  expect(lines).toEqual([]);
});
