import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pod } from "../../src/kubernetes/objects.ts";
import { ImageIdentity, runningImages } from "../../src/kubernetes/running-image.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/manifest.ts";
import { RegistryClient } from "../../src/oci/registry.ts";

const manifests = new Map<string, { bytes: string; mediaType: string }>();
const put = (value: object, mediaType: string): Digest => {
  const bytes = JSON.stringify(value);
  const digest = digestOf(bytes);
  manifests.set(digest, { bytes, mediaType });
  return digest;
};
const image = (config: string, note = "") =>
  put({ config: { digest: digestOf(config) }, layers: [], annotations: { note } }, mediaTypes.manifest);
const index = (...children: Digest[]) => put({ manifests: children.map((digest) => ({ digest })) }, mediaTypes.index);

let server: Server;
let repository: { registry: string; path: string };
beforeAll(async () => {
  server = createServer((request, response) => {
    const found = manifests.get(request.url?.split("/").at(-1) ?? "");
    response.writeHead(found ? 200 : 404, { "content-type": found?.mediaType ?? "text/plain" }).end(found?.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  repository = { registry: `127.0.0.1:${(server.address() as AddressInfo).port}`, path: "digits" };
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const identity = (digest: Digest) => new ImageIdentity(new RegistryClient(repository), { ...repository, digest });

describe("ImageIdentity", () => {
  it("takes the platform's image in the asked index for the same", async () => {
    const amd64 = image("a");
    expect(await identity(index(amd64, image("b"))).isSame(amd64)).toBe(true);
  });

  it("takes another manifest of the same content for the same: runtimes report either", async () => {
    expect(await identity(index(image("c", "first"))).isSame(index(image("c", "second")))).toBe(true);
  });

  it("takes the configuration's digest for the same: Docker reports that one", async () => {
    expect(await identity(index(image("h"))).isSame(digestOf("h"))).toBe(true);
  });

  it("does not take another image for the same, nor one that the registry does not know", async () => {
    const asked = identity(index(image("d")));
    expect(await asked.isSame(image("e"))).toBe(false);
    expect(await asked.isSame(digestOf("unknown"))).toBe(false);
  });

  it("finds pods in which no container runs the image", async () => {
    const asked = image("f");
    const pod = (name: string, ...digests: Digest[]) =>
      ({
        metadata: { name },
        status: {
          containerStatuses: digests.map((digest) => ({ name: "c", imageID: `docker-pullable://r/p@${digest}` })),
        },
      }) as unknown as Pod;
    const strangers = await identity(asked).strangers([
      pod("with-sidecar", image("g"), asked),
      pod("old", image("g")),
      pod("pending"),
    ]);
    expect(strangers).toEqual([
      { pod: "old", container: "c", digest: image("g") },
      { pod: "pending", container: "", digest: undefined },
    ]);
  });

  it("reads no digest from a container that does not run yet", () => {
    const pod = { metadata: { name: "p" }, status: { containerStatuses: [{ name: "c", imageID: "" }] } };
    expect(runningImages(pod as unknown as Pod)).toEqual([{ pod: "p", container: "c", digest: undefined }]);
  });
});
