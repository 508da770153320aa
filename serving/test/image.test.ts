import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { assemble } from "../image/assemble.ts";
import { consolePage } from "../src/console/console-page.ts";
import { identityModel } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";

const SERVING = fileURLToPath(new URL("..", import.meta.url));

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

function readLock(path: string): Lock {
  return JSON.parse(readFileSync(join(SERVING, path), "utf8")) as Lock;
}

/** The image's `/app`, assembled once for all tests. */
const app = mkdtempSync(join(tmpdir(), "model-server-image-"));
beforeAll(() => assemble(app), 60_000);
afterAll(() => rmSync(app, { recursive: true, force: true }));

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(app, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(app, join(entry.parentPath, entry.name)));
}

/** The server of the image's files alone: the folder is not below the repository, whose packages it cannot find. */
async function started(environment: Readonly<Record<string, string>>): Promise<ImageServer> {
  const folder = temporaryFolder({ "models/m/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [2] }]) });
  const child = spawn(process.execPath, [join(app, "src", "main.js"), "--host", "127.0.0.1", "--port", "0"], {
    env: { MODEL_REPOSITORY: join(folder, "models"), DRAIN_SECONDS: "0", GRPC_PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const server: ImageServer = { child, log: "", port: 0 };
  child.stdout.on("data", (chunk: Buffer) => {
    server.log += chunk;
  });
  await expect.poll(() => server.log + String(child.exitCode ?? ""), { timeout: 20_000 }).toMatch(/"ready"|^\d+$/m);
  server.port = Number(/"port":(\d+)/.exec(server.log)?.[1]);
  return server;
}

interface ImageServer {
  readonly child: ChildProcess;
  log: string;
  port: number;
}

const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [2], data: [1, 2] }] });

test("the image's files alone make a server that answers, and ends when asked to", async () => {
  const { child, port } = await started({});
  const answer = await fetch(`http://127.0.0.1:${port}/v2/models/m/infer`, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ model_name: "m", outputs: [{ data: [1, 2] }] });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('model_server_requests_total{model="m",version="1",protocol="rest",status="200"} 1');
  const page = await fetch(`http://127.0.0.1:${port}/`);
  expect(page.headers.get("content-security-policy")).toMatch(/script-src 'sha256-/);
  expect(Buffer.from(await page.arrayBuffer())).toEqual(Buffer.from((await consolePage(true)).html));
  const exit = once(child, "close");
  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
}, 30_000);

test("what the server loads late is in the image too: workers, YAML, traces", async () => {
  const settings = join(temporaryFolder({ "settings.yaml": "execution: workers\nworkers: 1\n" }), "settings.yaml");
  const spans: string[] = [];
  const collector = createServer(async (request, response) => {
    for await (const chunk of request) spans.push(String(chunk));
    response.setHeader("content-type", "application/json").end("{}");
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  onTestFinished(() => void collector.close());
  const { child, port } = await started({
    CONFIG_FILE: settings,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  });
  const answer = await fetch(`http://127.0.0.1:${port}/v2/models/m/infer`, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ outputs: [{ data: [1, 2] }] });
  const exit = once(child, "close");
  child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  expect(spans.join("")).toContain('"infer m"');
}, 30_000);

test("the image has ONNX Runtime's library for this platform only, and no sources", () => {
  const files = filesBelow("");
  expect(files.filter((path) => path.endsWith(".ts") || path.endsWith(".map"))).toEqual([]);
  expect(files.filter((path) => path.endsWith(".so.1") || path.endsWith(".dylib") || path.endsWith(".dll"))).toEqual([
    join("node_modules/onnxruntime-node/bin/napi-v6", process.platform, process.arch, "libonnxruntime.so.1"),
  ]);
});

test("of every package in the image there are the manifest and the licence, for scanners and lawyers", () => {
  const manifests = filesBelow("node_modules").filter((path) => path.endsWith("package.json"));
  const names = manifests.map((path) => (JSON.parse(readFileSync(join(app, path), "utf8")) as { name: string }).name);
  const { dependencies } = JSON.parse(readFileSync(join(SERVING, "package.json"), "utf8")) as { dependencies: object };
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  for (const path of manifests) {
    const files = readdirSync(join(app, dirname(path)));
    expect(
      files.filter((name) => /^(licen[cs]e|readme)/i.test(name)),
      path,
    ).not.toEqual([]);
  }
});

test("the image starts without a shell, as a user that is not root, and is ended by SIGTERM", () => {
  const stage =
    readFileSync(join(SERVING, "Dockerfile"), "utf8")
      .split(/^FROM /m)
      .at(-1) ?? "";
  expect(stage).toMatch(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot$/m);
  for (const line of [
    "USER 65532:65532",
    "STOPSIGNAL SIGTERM",
    "EXPOSE 8080 8081 8082",
    'ENTRYPOINT ["/nodejs/bin/node", "/app/src/main.js"]',
  ]) {
    expect(stage.split("\n")).toContain(line);
  }
  expect(stage).not.toMatch(/^RUN /m);
});

test("the image's lock file pins by integrity, names no registry, and is in step with the repository's", () => {
  const own = readLock("package-lock.json");
  const root = readLock("../package-lock.json");
  const packages = Object.entries(own.packages).filter(([path]) => path !== "");
  expect(packages.length).toBeGreaterThan(1);
  for (const [path, entry] of packages) {
    expect(entry.integrity, path).toMatch(/^sha512-/);
    expect(entry, path).not.toHaveProperty("resolved");
    expect({ path, version: entry.version, integrity: entry.integrity }).toEqual({
      path,
      version: root.packages[path]?.version,
      integrity: root.packages[path]?.integrity,
    });
  }
  const { dependencies } = JSON.parse(readFileSync(join(SERVING, "package.json"), "utf8")) as { dependencies: object };
  expect(own.packages[""]).toMatchObject({ dependencies });
});
