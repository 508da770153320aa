import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { systemClock } from "../../shared/src/action-runtime/clock.ts";
import { Client } from "../src/client.ts";
import type { Endpoint } from "../src/endpoint.ts";

it("waits for the node's word only where a server that had answered breaks off: one that starts is asked again anyway", async () => {
  const listener = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const patience: number[] = [];
  const endpoint: Endpoint & { url: string } = {
    url: "http://127.0.0.1:1",
    broken: async () => false,
    reconnect: async () => false,
    crashed: async (milliseconds) => {
      patience.push(milliseconds);
      return undefined;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const client = new Client(endpoint, { signal: new AbortController().signal, clock: systemClock });
  await expect(client.get("/")).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
  endpoint.url = `http://127.0.0.1:${port}`;
  expect(await client.get("/")).toMatchObject({ status: 200 });
  listener.closeAllConnections();
  listener.close();
  await expect(client.get("/")).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
  expect(patience).toEqual([0, 8_000]);
});
