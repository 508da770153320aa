import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "../src/endpoint.ts";
import { checkLoad } from "../src/load-checks.ts";

/** A server that answers, or one that takes requests and says nothing, as a port-forward to a pod that is gone does. */
async function server(answers: boolean): Promise<string> {
  const listener = createServer((request, response) => {
    request.resume();
    if (answers) response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

/** A way that leads to one server after the other. */
function way(urls: readonly string[], isGone: (at: number) => boolean): Endpoint & { readonly opened: () => number } {
  let at = 0;
  return {
    get url() {
      return urls[at] as string;
    },
    broken: async () => isGone(at),
    reconnect: async () => {
      at++;
      return at < urls.length;
    },
    crashed: async () => undefined,
    opened: () => at + 1,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const settings = { rate: 20, durationMilliseconds: 500, p99: 200, errors: 0 };
const requests = [{ method: "POST" as const, path: "/", body: "{}" }];
const context = () => ({ signal: new AbortController().signal, log: { line: () => undefined } as never });

it("runs the load again by another way when the first only hangs, since its pod is gone", async () => {
  const endpoint = way([await server(false), await server(true)], (at) => at === 0);
  const { checks, figures } = await checkLoad(endpoint, requests, settings, context());
  expect(endpoint.opened()).toBe(2);
  expect(figures).toMatchObject({ requests: 10, answered: 10 });
  expect(checks.map(({ verdict }) => verdict)).not.toContain("fail");
});

it("blames the model for answers that do not come while its pod is there", async () => {
  const endpoint = way([await server(false), await server(true)], () => false);
  const { checks } = await checkLoad(endpoint, requests, settings, context());
  expect(endpoint.opened()).toBe(1);
  expect(checks.map(({ verdict }) => verdict)).toContain("fail");
});
