import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A door in front of a real registry, through which it can be seen what is sent, and at which a push can be held up. */
export interface RegistryProxy {
  /** The registry's name through this door. */
  readonly name: string;
  /** Uploads and manifests that went through, such as `PUT /v2/a/blobs/uploads/…`. */
  readonly sent: string[];
}

/** An answer in place of the registry's. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

type Before = (asked: IncomingMessage) => Promise<Refusal | undefined> | Refusal | undefined;

/** @param before called before a request goes on to the registry; what it waits for, the request waits for */
export async function startProxy(registry: string, before: Before = () => undefined): Promise<RegistryProxy> {
  const sent: string[] = [];
  const server = createServer(async (incoming: IncomingMessage, response) => {
    const refusal = await before(incoming);
    if (refusal) return void response.writeHead(refusal.status, refusal.headers).end();
    if (incoming.method === "PUT") sent.push(`PUT ${incoming.url}`);
    const { url: path, method, headers } = incoming;
    const options = { host: registry.split(":")[0], port: registry.split(":")[1], path, method, headers };
    const outgoing = request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.on("error", () => outgoing.destroy()).pipe(outgoing);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close().closeAllConnections());
  return { name: `127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}
