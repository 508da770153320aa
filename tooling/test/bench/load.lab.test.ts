import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Progress } from "../../../lab/src/progress/progress.ts";
import { loadProgram } from "../../src/bench/serving.ts";

const scratch = mkdtempSync(join(tmpdir(), "load-test-"));
let program = "";

beforeAll(async () => {
  program = await loadProgram(new Progress({ logs: join(scratch, "logs") }));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface Report {
  readonly requests: number;
  readonly succeeded: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latency: { readonly p50: number; readonly max: number };
}

function start(target: string, ...flags: readonly string[]) {
  const child = spawn(program, ["-target", target, "-warm-up", "0s", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const report = once(child, "close").then(() => JSON.parse(output) as Report);
  return { child, report };
}

test("latency counts from the moment a request was due, also for those that waited behind a stall", async () => {
  const stall = 500;
  let first = true;
  const url = await serve((_, response) => {
    setTimeout(() => response.end("ok"), first ? stall : 0);
    first = false;
  });
  const { report } = start(url, "-connections", "1", "-rate", "100", "-duration", "500ms");
  const { requests, succeeded, latency } = await report;
  expect([requests, succeeded]).toEqual([50, 50]);
  // The 25th request was due 240 ms after the first: it waited for the rest of the stall, though it was answered at once.
  expect(latency.p50).toBeGreaterThan(stall - 260);
  expect(latency.max).toBeGreaterThan(stall - 1);
});

test("refusals and broken connections are counted by name, and answers that differ are handed over", async () => {
  const turns: readonly RequestListener[] = [
    (_, response) => response.end("right"),
    (_, response) => response.writeHead(503).end("busy"),
    (_, response) => response.end("wrong"),
    (request) => request.socket.destroy(),
  ];
  let turn = 0;
  const url = await serve((request, response) => turns[turn++ % turns.length]?.(request, response));
  const expected = join(scratch, "expected");
  writeFileSync(expected, "right");
  const { report } = start(url, "-connections", "1", "-rate", "200", "-duration", "200ms", "-expect", expected);
  expect(await report).toMatchObject({
    requests: 40,
    succeeded: 20,
    errors: { "HTTP 503": 10, "answer: connection closed": 10 },
    variants: [{ body: Buffer.from("wrong").toString("base64"), count: 10 }],
  });
});

test("SIGINT ends a load in order: what is in flight is awaited, and counts", async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  let held = false;
  const url = await serve((_, response) => {
    if (held) response.end("later");
    else arrived.resolve(response);
    held = true;
  });
  const { child, report } = start(url, "-connections", "1", "-duration", "1h");
  const response = await arrived.promise;
  child.kill("SIGINT");
  response.end("held");
  const { requests, succeeded } = await report;
  expect(succeeded).toBe(requests);
  expect(requests).toBeGreaterThan(0);
});
