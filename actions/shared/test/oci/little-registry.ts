import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
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
  readonly body?: string;
}

export interface LittleRegistryOptions {
  /** Whether it keeps the list of referrers itself, as the distribution specification 1.1 says. */
  readonly referrers?: boolean;
  /** How many referrers a page of the list has. Default: all. */
  readonly pageSize?: number;
  /** Asked first, with the body read; `cut` closes the connection without an answer. */
  readonly answer?: (seen: Seen) => Answer | "cut" | undefined;
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
    const answer = options.answer?.(entry);
    if (answer === "cut") return void request.socket.destroy();
    if (answer) return void response.writeHead(answer.status, answer.headers).end(answer.body);
    serve({ blobs, manifests, options }, request, body, response);
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

function serve(held: Held, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const url = new URL(request.url ?? "", "http://registry");
  const [, kind, name = ""] =
    /^\/v2\/acme\/digits\/(manifests|referrers|blobs(?:\/uploads)?)\/(.*)$/.exec(url.pathname) ?? [];
  const end = (status: number, headers: Record<string, string> = {}, bytes?: Buffer | string) =>
    void response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : bytes);

  if (kind === "blobs/uploads" && request.method === "POST")
    return end(202, { location: held.options.uploadLocation ?? "/v2/acme/digits/blobs/uploads/1" });
  if (request.method === "DELETE") return end(204);
  if (request.method === "PUT" && url.searchParams.has("digest")) {
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(body) !== digest) return end(400, {}, "DIGEST_INVALID");
    held.blobs.set(digest, body);
    return end(201);
  }
  if (kind === "manifests" && request.method === "PUT") return end(201, putManifest(held, name, request, body));
  if (kind === "manifests") {
    const found = held.manifests.get(name);
    const headers = {
      "content-type": found?.mediaType ?? "",
      "docker-content-digest": found ? digestOf(found.bytes) : "",
    };
    return found ? end(200, headers, found.bytes) : end(404);
  }
  if (kind === "blobs") return held.blobs.has(name) ? end(200, {}, held.blobs.get(name)) : end(404);
  if (kind === "referrers" && held.options.referrers) return listReferrers(held, name, url, end);
  end(404, {}, "404 page not found");
}

function putManifest({ manifests, options }: Held, name: string, request: IncomingMessage, bytes: Buffer) {
  const stored = { mediaType: request.headers["content-type"] ?? "", bytes };
  manifests.set(name, stored).set(digestOf(bytes), stored);
  const subject = (JSON.parse(bytes.toString()) as Partial<ImageManifest>).subject?.digest;
  const headers: Record<string, string> = {};
  if (options.referrers && subject) headers["oci-subject"] = subject;
  return headers;
}

function listReferrers(
  { manifests, options }: Held,
  subject: string,
  url: URL,
  end: (status: number, headers: Record<string, string>, body: string) => void,
): void {
  const all = [...manifests]
    .filter(([key]) => key.startsWith("sha256:"))
    .map(([digest, { mediaType, bytes }]) => ({
      digest,
      mediaType,
      bytes,
      manifest: JSON.parse(bytes.toString()) as ImageManifest,
    }))
    .filter(({ manifest }) => manifest.subject?.digest === subject)
    .map(({ digest, mediaType, bytes, manifest }) => ({
      digest,
      mediaType,
      size: bytes.length,
      artifactType: manifest.artifactType,
    }));
  const first = Number(url.searchParams.get("last") ?? 0);
  const next = first + (options.pageSize ?? all.length);
  const headers: Record<string, string> = { "content-type": mediaTypes.index };
  if (next < all.length) headers.link = `<${url.pathname}?last=${next}>; rel="next"`;
  end(
    200,
    headers,
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: all.slice(first, next) }),
  );
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
