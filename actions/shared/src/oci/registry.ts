import { ActionError, toActionError } from "../action-runtime/error.ts";
import type { Redactor } from "../action-runtime/redaction.ts";
import { BodyTooLong, readBody } from "../http/body.ts";
import { type RequestBody, type RequestOptions, request } from "../http/request.ts";
import { authorize, isUnavailable } from "./authorization.ts";
import type { Credentials } from "./credentials.ts";
import { type Digest, digestOf, parseDigest } from "./digest.ts";
import { type Descriptor, mediaTypes } from "./manifest.ts";
import { formatRepository, type Repository } from "./reference.ts";

export interface RegistryOptions {
  readonly credentials?: Credentials | undefined;
  readonly signal?: AbortSignal;
  readonly redactor?: Redactor;
}

export interface Blob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** A fresh stream of the bytes, for each attempt. */
  readonly open: () => RequestBody;
}

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Whether the registry keeps the list of referrers itself (it answers `OCI-Subject`, distribution specification 1.1). */
  readonly listsReferrers?: boolean;
}

/** Bytes of a manifest, a list or a statement; registries take manifests of 4 MiB at most. */
const longestBody = 4 * 1024 * 1024;

/** How often the bytes of one blob are sent, where the registry breaks off or fails. */
const uploadAttempts = 3;

const accepted = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerList].join(", ");

/**
 * A client of one repository in an OCI registry. Source: OCI distribution specification 1.1.
 *
 * Pushing is by content, so every call here may be repeated: what is there already is found by its digest first.
 */
export class RegistryClient {
  readonly repository: Repository;
  readonly #options: RegistryOptions;
  #authorization: string | undefined;

  constructor(repository: Repository, options: RegistryOptions = {}) {
    this.repository = repository;
    this.#options = options;
  }

  /** The manifest that a tag or digest names, or undefined. Its bytes are checked against the digest. */
  async getManifest(reference: Digest | string): Promise<StoredManifest | undefined> {
    const response = await this.#call(`manifests/${reference}`, { headers: { accept: accepted } });
    if (response.status === 404) return void (await response.body?.cancel());
    await this.#expect(response, [200], `read manifest ${reference}`);
    const bytes = await this.#body(response);
    const digest = digestOf(bytes);
    if (reference.startsWith("sha256:") && digest !== reference)
      throw new ActionError("REGISTRY_CONTENT_MISMATCH", {
        message: `${this.#name()} answered ${digest} when asked for ${reference}`,
        remedy: "the registry or a proxy in front of it returns other bytes than were pushed; do not deploy from it",
      });
    return { digest, mediaType: response.headers.get("content-type") ?? mediaTypes.manifest, bytes };
  }

  /** Stores a manifest under its digest, and under a tag if one is given. */
  async putManifest(bytes: Buffer, mediaType: string, tag?: string): Promise<StoredManifest> {
    const digest = digestOf(bytes);
    const options = { method: "PUT", attempts: 3, headers: { "content-type": mediaType }, body: new Uint8Array(bytes) };
    const response = await this.#call(`manifests/${tag ?? digest}`, options, "pull,push");
    await this.#expect(response, [201], `store manifest ${tag ?? digest}`);
    await response.body?.cancel();
    return { digest, mediaType, bytes, listsReferrers: response.headers.get("oci-subject") !== null };
  }

  /** Lets a tag name a manifest that is there already. @throws ActionError `IMAGE_NOT_FOUND` */
  async tagManifest(digest: Digest, tag: string): Promise<void> {
    const stored = await this.getManifest(digest);
    if (stored) await this.putManifest(stored.bytes, stored.mediaType, tag);
    else
      throw new ActionError("IMAGE_NOT_FOUND", {
        message: `${this.#name()} has no manifest ${digest}`,
        remedy: "pass the digest that build-scan pushed; if a retention policy removed it, build it again",
      });
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    const response = await this.#call(`blobs/${digest}`, { method: "HEAD" }, "pull,push");
    return response.status === 200;
  }

  async getBlob(digest: Digest): Promise<Buffer> {
    const response = await this.#call(`blobs/${digest}`, {});
    await this.#expect(response, [200], `read blob ${digest}`);
    const bytes = await this.#body(response);
    if (digestOf(bytes) === digest) return bytes;
    throw new ActionError("REGISTRY_CONTENT_MISMATCH", {
      message: `${this.#name()} answered other bytes for blob ${digest}`,
      remedy: "the registry or a proxy in front of it is damaged; do not deploy from it",
    });
  }

  /**
   * Asks the registry whether we may push, by opening an upload and dropping it.
   *
   * @throws ActionError `REGISTRY_UNREACHABLE`, `REGISTRY_DENIED`, `REGISTRY_REFUSED`
   */
  async checkPush(): Promise<void> {
    const location = await this.#openUpload();
    await this.#call(location, { method: "DELETE" }, "pull,push").catch(() => undefined);
  }

  async #openUpload(): Promise<URL> {
    const opened = await this.#call("blobs/uploads/", { method: "POST", attempts: 3 }, "pull,push");
    await this.#expect(opened, [202], "open an upload");
    await opened.body?.cancel();
    return new URL(opened.headers.get("location") ?? "", this.#base());
  }

  /** Stores a blob unless it is there. Returns whether bytes were sent. */
  async putBlob(blob: Blob): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      if (await this.hasBlob(blob.digest)) return false;
      const stored = await this.#sendBlob(blob).catch((error: unknown) => {
        if (attempt === uploadAttempts || toActionError(error).code !== "REGISTRY_UNREACHABLE") throw error;
      });
      if (stored === undefined || (stored.status >= 500 && attempt < uploadAttempts)) {
        await stored?.body?.cancel();
        continue;
      }
      await this.#expect(stored, [201], `store blob ${blob.digest}`);
      await stored.body?.cancel();
      return true;
    }
  }

  /** Each time into a new upload: what an upload that broke off holds already would stand in front of the bytes. */
  async #sendBlob(blob: Blob): Promise<Response> {
    const location = await this.#openUpload();
    location.searchParams.set("digest", blob.digest);
    const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
    return this.#call(location, { method: "PUT", headers, body: blob.open, timeoutMilliseconds: 600_000 }, "pull,push");
  }

  /** The answer of the referrers API, all pages of it, or undefined where the registry does not have it. */
  async getReferrers(digest: Digest, artifactType: string): Promise<readonly Descriptor[] | undefined> {
    const listed: Descriptor[] = [];
    let page: URL | undefined = new URL(
      `referrers/${digest}?artifactType=${encodeURIComponent(artifactType)}`,
      this.#base(),
    );
    while (page !== undefined) {
      const response: Response = await this.#call(page, { headers: { accept: mediaTypes.index } });
      // A registry that cannot answer now is not one without the API: its list would be taken for an empty one.
      if (isUnavailable(response.status)) await this.#expect(response, [200], `list the referrers of ${digest}`);
      const isList = response.headers.get("content-type")?.includes("image.index") ?? false;
      if (response.status !== 200 || !isList) return void (await response.body?.cancel());
      listed.push(...this.#descriptors(await this.#body(response)));
      page = nextPage(response.headers.get("link"), page);
    }
    return listed;
  }

  /** The digest that a tag names now, or undefined. */
  async resolveTag(tag: string): Promise<Digest | undefined> {
    const response = await this.#call(`manifests/${tag}`, { method: "HEAD", headers: { accept: accepted } });
    if (response.status === 404) return undefined;
    await this.#expect(response, [200], `read tag ${tag}`);
    const named = response.headers.get("docker-content-digest");
    return named === null ? (await this.getManifest(tag))?.digest : parseDigest(named);
  }

  /** Manifests, lists and statements are small; a registry that sends without end is refused. */
  async #body(response: Response): Promise<Buffer> {
    try {
      return await readBody(response, longestBody);
    } catch (error) {
      if (!(error instanceof BodyTooLong)) throw error;
      throw this.#garbled(error.message);
    }
  }

  #descriptors(bytes: Buffer): readonly Descriptor[] {
    try {
      const { manifests } = JSON.parse(bytes.toString("utf8")) as { manifests?: Descriptor[] };
      return Array.isArray(manifests) ? manifests : [];
    } catch (error) {
      throw this.#garbled((error as Error).message);
    }
  }

  #garbled(why: string): ActionError {
    return new ActionError("REGISTRY_REFUSED", {
      message: `${this.#name()} gave an answer that is none: ${why}`,
      remedy: "check that the address is a registry's, and what a proxy in front of it answers",
      blame: "inconclusive",
    });
  }

  #base(): string {
    const { registry, path } = this.repository;
    return `${registryScheme(registry)}://${registry === "docker.io" ? "registry-1.docker.io" : registry}/v2/${path}/`;
  }

  #name(): string {
    return `registry ${formatRepository(this.repository)}`;
  }

  async #call(path: string | URL, options: Partial<RequestOptions>, actions = "pull"): Promise<Response> {
    const url = new URL(path, this.#base());
    // An upload's location may be another host, which is not to see our credentials, nor to say where they are sent.
    const own = url.origin === new URL(this.#base()).origin;
    const send = () => {
      const headers: Record<string, string> = { ...options.headers };
      if (own && this.#authorization) headers.authorization = this.#authorization;
      return request(url, { ...this.#common(), ...options, headers });
    };
    const response = await send();
    const challenge = response.headers.get("www-authenticate");
    if (response.status !== 401 || challenge === null || !own) return response;
    await response.body?.cancel();
    const { credentials, redactor } = this.#options;
    const scope = { repository: this.repository, actions, credentials };
    this.#authorization = await authorize(challenge, scope, this.#common(), redactor);
    return send();
  }

  #common() {
    return {
      service: "the registry",
      unreachableCode: "REGISTRY_UNREACHABLE",
      unreachableRemedy: "check the registry's name in `image`, and that the runner reaches it",
      ...(this.#options.signal ? { signal: this.#options.signal } : {}),
    };
  }

  async #expect(response: Response, statuses: readonly number[], what: string): Promise<void> {
    if (statuses.includes(response.status)) return;
    const said = (await response.text().catch(() => "")).slice(0, 300).replace(/\s+/g, " ");
    const denied = response.status === 401 || response.status === 403;
    throw new ActionError(denied ? "REGISTRY_DENIED" : "REGISTRY_REFUSED", {
      message: `${this.#name()} refused to ${what}: HTTP ${response.status} ${said}`.trim(),
      remedy: denied
        ? "check registry-username and registry-password, and that they may push to this repository (packages: write)"
        : "see the registry's message; check that the repository exists and is not read-only",
      blame: isUnavailable(response.status) ? "inconclusive" : "fail",
    });
  }
}

/** The `next` of a `Link` header, on the same host (RFC 8288; distribution specification, "Listing Referrers"). */
function nextPage(link: string | null, current: URL): URL | undefined {
  const target = link?.match(/<([^>]+)>\s*;\s*rel="?next"?/)?.[1];
  const next = target === undefined ? undefined : new URL(target, current);
  return next?.origin === current.origin && next.href !== current.href ? next : undefined;
}

/** Registries on the loopback interface speak plain HTTP, as Docker and containerd hold it too; all others speak HTTPS. */
export function registryScheme(registry: string): "http" | "https" {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry) ? "http" : "https";
}
