import { Readable } from "node:stream";
import { LabError } from "../progress/error.ts";
import { type Descriptor, type Layout, MANIFEST_TYPE, openBlob } from "./layout.ts";

const QUESTION_MS = 10_000;
const TRANSFER_MS = 600_000;
const INDEX_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFEST_TYPES = [MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json"];

interface Index {
  readonly manifests: readonly (Descriptor & {
    readonly platform?: { readonly os: string; readonly architecture: string };
  })[];
}

/** As much of the registry protocol as is needed to fill a mirror. */
export class Registry {
  readonly #base: string;
  #token: string | undefined;

  /** @param base the address with its scheme, for example `http://127.0.0.1:5000`. */
  constructor(base: string) {
    this.#base = base;
  }

  async #request(path: string, init: RequestInit & { duplex?: "half" }, timeout: number): Promise<Response> {
    const send = () =>
      fetch(new URL(path, this.#base), {
        ...init,
        headers: { ...init.headers, ...(this.#token && { authorization: `Bearer ${this.#token}` }) },
        signal: AbortSignal.timeout(timeout),
      });
    let response: Response;
    try {
      response = await send();
      if (response.status === 401 && (await this.#authenticate(response))) response = await send();
    } catch (cause) {
      throw new LabError("REGISTRY_UNREACHABLE", `the registry ${this.#base} does not answer`, {
        remedy: "see npm run lab -- status",
        cause,
      });
    }
    if (response.ok || response.status === 404) return response;
    throw new LabError(
      "REGISTRY_REFUSED",
      `${this.#base}${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
      {
        remedy: "see the registry's log: npm run lab -- logs registry",
      },
    );
  }

  /** Gets the token that a public registry gives to anybody who pulls. */
  async #authenticate(refused: Response): Promise<boolean> {
    const challenge = refused.headers.get("www-authenticate") ?? "";
    const part = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
    const realm = part("realm");
    if (!/^Bearer /i.test(challenge) || !realm || this.#token) return false;
    const url = new URL(realm);
    for (const name of ["service", "scope"]) {
      const value = part(name);
      if (value) url.searchParams.set(name, value);
    }
    const answer = await fetch(url, { signal: AbortSignal.timeout(QUESTION_MS) });
    const body = (await answer.json()) as { token?: string; access_token?: string };
    this.#token = body.token ?? body.access_token;
    return this.#token !== undefined;
  }

  /** The digest that a tag has, or undefined when there is no such tag. */
  async digestOf(repository: string, tag: string): Promise<string | undefined> {
    const headers = { accept: [...MANIFEST_TYPES, ...INDEX_TYPES].join(", ") };
    const response = await this.#request(
      `/v2/${repository}/manifests/${tag}`,
      { method: "HEAD", headers },
      QUESTION_MS,
    );
    return response.ok ? (response.headers.get("docker-content-digest") ?? undefined) : undefined;
  }

  /** Uploads an image: what is there already is not sent again; the tag comes last. */
  async push(repository: string, tag: string, layout: Layout): Promise<void> {
    await Promise.all(layout.blobs.map((blob) => this.#pushBlob(repository, layout, blob)));
    const headers = { "content-type": layout.mediaType };
    await this.#request(
      `/v2/${repository}/manifests/${tag}`,
      { method: "PUT", headers, body: new Uint8Array(layout.manifest) },
      QUESTION_MS,
    );
  }

  async #pushBlob(repository: string, layout: Layout, blob: Descriptor): Promise<void> {
    const known = await this.#request(`/v2/${repository}/blobs/${blob.digest}`, { method: "HEAD" }, QUESTION_MS);
    if (known.ok) return;
    const begun = await this.#request(`/v2/${repository}/blobs/uploads/`, { method: "POST" }, QUESTION_MS);
    const target = new URL(begun.headers.get("location") ?? "", this.#base);
    target.searchParams.set("digest", blob.digest);
    const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
    const body = Readable.toWeb(openBlob(layout, blob.digest)) as ReadableStream;
    await this.#request(
      `${target.pathname}${target.search}`,
      { method: "PUT", headers, body, duplex: "half" },
      TRANSFER_MS,
    );
  }

  /** The manifest of a tag for Linux on x64, byte for byte, or undefined when there is none. */
  async manifest(repository: string, reference: string): Promise<{ content: Buffer; mediaType: string } | undefined> {
    const headers = { accept: [...MANIFEST_TYPES, ...INDEX_TYPES].join(", ") };
    const response = await this.#request(`/v2/${repository}/manifests/${reference}`, { headers }, QUESTION_MS);
    if (!response.ok) return undefined;
    const content = Buffer.from(await response.arrayBuffer());
    const mediaType = response.headers.get("content-type")?.split(";")[0] ?? MANIFEST_TYPE;
    if (!INDEX_TYPES.includes(mediaType)) return { content, mediaType };
    const { manifests } = JSON.parse(content.toString("utf8")) as Index;
    const found = manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64");
    return found && this.manifest(repository, found.digest);
  }

  /** A blob's content. */
  async blob(repository: string, digest: string): Promise<Readable> {
    const response = await this.#request(`/v2/${repository}/blobs/${digest}`, {}, TRANSFER_MS);
    if (!response.ok || !response.body) {
      throw new LabError("REGISTRY_REFUSED", `${this.#base} has no ${repository}@${digest}`, {
        remedy: "run the command again",
      });
    }
    return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  }
}
