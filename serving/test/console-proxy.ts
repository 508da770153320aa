import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Answers a request itself by returning true; the others are passed on as they are. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A little proxy before a server, open until the test is over. Resolves to its address. */
export async function openProxy(target: string, answer: Intercept): Promise<string> {
  const server = createServer((request, response) => {
    if (answer(request, response)) return;
    const { method, headers } = request;
    const onward = send(new URL(request.url ?? "/", target), { method, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with a status and the protocol's error. */
export function refuse(response: ServerResponse, status: number, error: string): true {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
  return true;
}
