import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { assemble } from "../image/assemble.ts";
import { identityModel } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";

const SERVING = fileURLToPath(new URL("..", import.meta.url));

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

function readLock(path: string): Lock {
  return JSON.parse(readFileSync(join(SERVING, path), "utf8")) as Lock;
}

test("the image's files alone make a server that gets ready", async () => {
  const folder = temporaryFolder({ "models/m/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [2] }]) });
  const app = join(folder, "app");
  assemble(app);
  const files = readdirSync(app, { recursive: true, encoding: "utf8" });
  expect(files.filter((path) => path.endsWith(".ts"))).toEqual([]);
  expect(files.filter((path) => path.endsWith(".so.1"))).toHaveLength(1);
  const server = spawn(process.execPath, [join(app, "src", "main.js"), "--host", "127.0.0.1", "--port", "0"], {
    env: { MODEL_REPOSITORY: join(folder, "models"), DRAIN_SECONDS: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  let log = "";
  server.stdout.on("data", (chunk: Buffer) => {
    log += chunk;
    if (chunk.includes('"message":"ready"')) server.kill("SIGTERM");
  });
  await once(server, "close");
  expect(log).toContain('"message":"stopped"');
  expect(server.exitCode).toBe(0);
}, 30_000);

test("the image starts without a shell, as a user that is not root, and is ended by SIGTERM", () => {
  const stage =
    readFileSync(join(SERVING, "Dockerfile"), "utf8")
      .split(/^FROM /m)
      .at(-1) ?? "";
  expect(stage).toMatch(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot$/m);
  for (const line of [
    "USER 65532:65532",
    "STOPSIGNAL SIGTERM",
    "EXPOSE 8080",
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
