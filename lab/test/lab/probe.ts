import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../../src/lab.ts";
import type { Progress } from "../../src/progress/progress.ts";
import { runChild } from "../../src/progress/run-child.ts";
import { fill, recipeHash } from "../../src/toolchain/cache.ts";

const SOURCE = join(import.meta.dirname, "..", "probe");

/** Runs a program with the lab's variables. @returns what it wrote, when its exit code is 0. */
export async function inLab(lab: Lab, command: string, args: readonly string[], input?: string): Promise<string> {
  const result = await runChild(command, args, {
    environment: { ...process.env, ...lab.environment },
    timeoutSeconds: 120,
    ...(input !== undefined && { input }),
  });
  if (result.code !== 0)
    throw new Error(`${command} ${args.join(" ")}: ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

/** The folder with the probe's program and Dockerfiles; the program is built once a machine. */
export async function probeFolder(progress: Progress): Promise<string> {
  const key = recipeHash(readFileSync(join(SOURCE, "main.go")), readFileSync(join(SOURCE, "go.mod")), "2");
  return progress.step("probe", (step) =>
    fill({ shelf: "tests/probe", key }, step, async (folder) => {
      const cache = join(folder, "cache");
      cpSync(SOURCE, folder, { recursive: true });
      await step.run("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", "probe", "."], {
        cwd: folder,
        environment: { ...process.env, CGO_ENABLED: "0", GOCACHE: cache, GOFLAGS: "-mod=mod", GOWORK: "off" },
        remedy: "the tests need Go",
        timeoutSeconds: 300,
      });
      rmSync(cache, { recursive: true });
      writeFileSync(join(folder, "Dockerfile"), 'FROM scratch\nCOPY probe /probe\nENTRYPOINT ["/probe"]\n');
      writeFileSync(join(folder, "Dockerfile.mirrored"), "FROM docker.io/mirrored/probe:1\n");
    }),
  );
}

/** A Deployment of the probe and a Service of type NodePort before it, both called `probe`. */
export function probeObjects(image: string): string {
  const labels = { app: "probe" };
  const container = {
    name: "probe",
    image,
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
  };
  const objects = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "probe" },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "probe" },
      spec: { type: "NodePort", selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
}

/** The node port of the Service `probe`. */
export async function nodePort(lab: Lab): Promise<number> {
  return Number(await inLab(lab, "kubectl", ["get", "service", "probe", "-o", "jsonpath={.spec.ports[0].nodePort}"]));
}

/** Asks until there is an answer: kube-proxy follows a new Service within a second or two. */
export async function ask(port: number, path: string, withinMs = 30_000): Promise<string> {
  for (const deadline = Date.now() + withinMs; ; await sleep(100)) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(7000) });
      return await response.text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
