import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Progress } from "../../src/progress/progress.ts";
import { cacheFolder } from "../../src/toolchain/cache.ts";
import { ensureToolchain } from "../../src/toolchain/toolchain.ts";

test("every tool runs, by its name in the folder for PATH", async () => {
  const lines: string[] = [];
  const progress = new Progress({
    logs: join(cacheFolder(), "logs"),
    output: { write: (text: string) => lines.push(text) },
  });
  const names = [
    "kubernetes",
    "act",
    "buildkitd",
    "buildx",
    "grype",
    "coredns",
    "helm",
    "etcd",
    "containerd",
    "runc",
    "docker-registry",
    "lint",
    "mlflow",
  ] as const;
  const toolchain = await ensureToolchain(names, progress);
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(toolchain.bin, program), args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  expect(run("kube-apiserver", "--version")).toContain("v1.34.4");
  expect(run("kubelet", "--version")).toContain("v1.34.4");
  expect(run("act", "--version")).toContain("act version");
  expect(run("buildkitd", "--version")).toContain("buildkitd");
  expect(run("buildx", "version")).toContain("buildx");
  expect(run("grype", "version")).toContain("grype");
  expect(run("coredns", "-plugins")).toMatch(/^kubernetes$/m);
  expect(run("helm", "version", "--short")).toMatch(/^v4\./);
  expect(run("kubectl", "version", "--client")).toContain("v1.34");
  expect(run("etcd", "--version")).toContain("etcd Version");
  expect(run("containerd", "--version")).toContain(" v2.");
  expect(run("runc", "--version")).toContain("runc version");
  expect(run("docker-registry", "--version")).toContain("registry");
  expect(run("zizmor", "--version")).toContain("zizmor");
  expect(run("mlflow", "--version")).toContain("3.17.2");
  expect(
    execFileSync(toolchain.python("mlflow"), ["-c", "import mlflow; print(mlflow.__version__)"], { encoding: "utf8" }),
  ).toContain("3.17.2");

  lines.length = 0;
  const started = performance.now();
  await ensureToolchain(names, progress);
  expect(performance.now() - started).toBeLessThan(200);
  expect(lines).toEqual([]);
});

test("pause ends on SIGTERM and reaps the children that others leave to it", async () => {
  const toolchain = await ensureToolchain(["pause"], new Progress({ logs: join(cacheFolder(), "logs") }));
  const script = `
    unshare --pid --fork --kill-child --mount-proc sh -c '(sleep 0.1 & ) ; (sleep 0.2 & ); exec "$0"' "$0" &
    outer=$!; sleep 0.6; init=$(pgrep -P $outer); ps -o stat= --ppid $init | grep -c Z; kill -TERM $init; wait $outer; echo "exit $?"`;
  expect(execFileSync("sh", ["-c", script, toolchain.path("pause")], { encoding: "utf8" })).toBe("0\nexit 0\n");
});
