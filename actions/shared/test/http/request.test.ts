import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/action-runtime/clock.ts";
import { request } from "../../src/http/request.ts";

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((ready) => server?.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A clock that does not wait, and remembers for how long it was asked to. */
function fakeClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  return { waits, now: () => 0, sleep: async (milliseconds) => void waits.push(milliseconds) };
}

const common = {
  service: "the thing",
  unreachableCode: "THING_UNREACHABLE",
  unreachableRemedy: "start it",
  random: () => 0.5,
};

describe("request", () => {
  it("repeats a GET that a busy service refuses, with growing waits", async () => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.writeHead(calls < 3 ? 503 : 200).end("done");
    });
    const clock = fakeClock();
    expect(await (await request(url, { ...common, clock })).text()).toBe("done");
    expect(clock.waits).toEqual([250, 500]);
  });

  it("waits as long as Retry-After asks", async () => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.writeHead(calls < 2 ? 429 : 200, { "retry-after": "7" }).end();
    });
    const clock = fakeClock();
    await request(url, { ...common, clock });
    expect(clock.waits).toEqual([7_000]);
  });

  it("does not repeat a POST by itself", async () => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.writeHead(503).end();
    });
    expect((await request(url, { ...common, method: "POST", clock: fakeClock() })).status).toBe(503);
    expect(calls).toBe(1);
  });

  it("says what cannot be reached, where, and why", async () => {
    const url = await serve(() => undefined);
    server?.close();
    server?.closeAllConnections();
    const failing = request(url, { ...common, clock: fakeClock() });
    await expect(failing).rejects.toMatchObject({
      code: "THING_UNREACHABLE",
      blame: "inconclusive",
      remedy: "start it",
      message: `the thing at ${new URL(url).host} cannot be reached after 4 attempts: the connection was refused; nothing listens there`,
    });
  });

  it("gives up on a service that does not answer in time", async () => {
    const url = await serve(() => undefined);
    const failing = request(url, { ...common, clock: fakeClock(), timeoutMilliseconds: 50, attempts: 1 });
    await expect(failing).rejects.toThrow(/no answer within 0\.05 s/);
  });

  it("ends at once when it is cancelled", async () => {
    const url = await serve(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("stop")), 30);
    await expect(request(url, { ...common, signal: controller.signal })).rejects.toThrow("stop");
  });
});
