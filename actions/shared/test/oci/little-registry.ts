import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { type ImageManifest, mediaTypes } from "../../src/oci/manifest.ts";
import { parseRepository } from "../../src/oci/reference.ts";
import { RegistryClient, type RegistryOptions } from "../../src/oci/registry.ts";

/** A request as the registry saw it. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly authorization: string | undefined;
}

/** An answer in place of the registry's own. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

type OwnAnswer = Answer | "cut" | undefined;

export interface LittleRegistryOptions {
  /** Whether it keeps the list of referrers itself, as the distribution specification 1.1 says. */
  readonly referrers?: boolean;
  /** How many referrers a page of the list has. Default: all. */
  readonly pageSize?: number;
  /** Asked first, with the body read; `cut` closes the connection without an answer. */
  readonly answer?: (seen: Seen) => OwnAnswer | Promise<OwnAnswer>;
  /** Where an upload goes on. Default: `/v2/…/blobs/uploads/1`. */
  readonly uploadLocation?: string;
}

/** A registry with what it holds and what it was asked. */
export interface LittleRegistry {
  readonly name: string;
  readonly seen: Seen[];
  readonly blobs: Map<string, Buffer>;
  /** By digest and by tag. */
  readonly manifests: Map<string, { mediaType: string; bytes: Buffer }>;
  /** What was asked, such as `GET /v2/acme/digits/manifests/x`. */
  asked(start?: string): string[];
  client(options?: RegistryOptions): RegistryClient;
}

/** Starts a registry that speaks the OCI distribution protocol and keeps everything in memory; it ends with the test. */
export async function startRegistry(options: LittleRegistryOptions = {}): Promise<LittleRegistry> {
  const seen: Seen[] = [];
  const blobs: LittleRegistry["blobs"] = new Map();
  const manifests: LittleRegistry["manifests"] = new Map();
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const { method = "", url = "", headers } = request;
    const entry = { method, url, authorization: headers.authorization };
    seen.push(entry);
    const answer = (await options.answer?.(entry)) ?? reply({ blobs, manifests, options }, request, body);
    if (answer === "cut") request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(method === "HEAD" ? undefined : answer.body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = (start = "") =>
    seen.map(({ method, url }) => `${method} ${url}`).filter((line) => line.startsWith(start));
  const client = (given?: RegistryOptions) => new RegistryClient(parseRepository(`${name}/acme/digits`), given);
  return { name, seen, blobs, manifests, asked, client };
}

interface Held {
  readonly blobs: LittleRegistry["blobs"];
  readonly manifests: LittleRegistry["manifests"];
  readonly options: LittleRegistryOptions;
}

const paths = /^\/v2\/acme\/digits\/(manifests|referrers|blobs(?:\/uploads)?)\/(.*)$/;

function reply(held: Held, request: IncomingMessage, body: Buffer): Answer {
  const { method } = request;
  const url = new URL(request.url ?? "", "http://registry");
  const [, kind, name = ""] = paths.exec(url.pathname) ?? [];
  if (kind === "blobs/uploads" && method === "POST")
    return { status: 202, headers: { location: held.options.uploadLocation ?? "/v2/acme/digits/blobs/uploads/1" } };
  if (method === "DELETE") return { status: 204 };
  if (method === "PUT" && url.searchParams.has("digest"))
    return putBlob(held, url.searchParams.get("digest") ?? "", body);
  if (kind === "manifests") return method === "PUT" ? putManifest(held, name, request, body) : getManifest(held, name);
  if (kind === "blobs" && held.blobs.has(name)) return { status: 200, body: held.blobs.get(name) };
  if (kind === "referrers" && held.options.referrers) return listReferrers(held, name, url);
  return { status: 404, body: "404 page not found" };
}

function putBlob({ blobs }: Held, digest: string, bytes: Buffer): Answer {
  if (digestOf(bytes) !== digest) return { status: 400, body: "DIGEST_INVALID" };
  blobs.set(digest, bytes);
  return { status: 201 };
}

function getManifest({ manifests }: Held, name: string): Answer {
  const found = manifests.get(name);
  if (found === undefined) return { status: 404 };
  const headers = { "content-type": found.mediaType, "docker-content-digest": digestOf(found.bytes) };
  return { status: 200, headers, body: found.bytes };
}

function putManifest({ manifests, options }: Held, name: string, request: IncomingMessage, bytes: Buffer): Answer {
  const stored = { mediaType: request.headers["content-type"] ?? "", bytes };
  manifests.set(name, stored).set(digestOf(bytes), stored);
  const subject = (JSON.parse(bytes.toString()) as Partial<ImageManifest>).subject?.digest;
  return { status: 201, headers: options.referrers && subject ? { "oci-subject": subject } : {} };
}

function listReferrers({ manifests, options }: Held, subject: string, url: URL): Answer {
  const all = [...manifests]
    .filter(([name]) => name.startsWith("sha256:"))
    .map(([digest, { mediaType, bytes }]) => {
      const manifest = JSON.parse(bytes.toString()) as ImageManifest;
      return { digest, mediaType, size: bytes.length, artifactType: manifest.artifactType, subject: manifest.subject };
    })
    .filter((entry) => entry.subject?.digest === subject);
  const first = Number(url.searchParams.get("last") ?? 0);
  const next = first + (options.pageSize ?? all.length);
  const link = next < all.length ? { link: `<${url.pathname}?last=${next}>; rel="next"` } : {};
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: all.slice(first, next) };
  return { status: 200, headers: { "content-type": mediaTypes.index, ...link }, body: JSON.stringify(index) };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
