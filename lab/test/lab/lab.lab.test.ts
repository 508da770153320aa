import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { closeLab, type Lab, openLab } from "../../src/lab.ts";
import { findNamespaces } from "../../src/namespaces/namespaces.ts";
import { labProcesses, partProcess } from "../../src/namespaces/process-table.ts";
import { Progress } from "../../src/progress/progress.ts";
import { labHome } from "../../src/state/home.ts";
import { machineState, networkInside, tracesOf } from "./machine.ts";
import { ask, inLab, nodePort, probeFolder, probeObjects } from "./probe.ts";

const NAME = "t-lab";
const home = labHome(NAME);
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const lines: string[] = [];
const progress = new Progress({ logs: join(home.logs, "steps"), output: { write: (text) => lines.push(text) } });
let before: object;
let lab: Lab;
let image: string;

/** Starts the lab's command line as a process of its own. */
function commandLine(...args: string[]) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args, "--name", NAME], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return { child, ended };
}

beforeAll(async () => {
  await closeLab({ name: NAME, purge: true }, progress);
  before = machineState();
  lab = await openLab({ name: NAME }, progress);
  image = `${lab.addresses.registry}/test/probe:1`;
});

afterAll(async () => {
  await closeLab({ name: NAME, purge: true }, progress);
  expect(tracesOf(home)).toEqual([]);
  expect(existsSync(home.state)).toBe(false);
});

test("a new lab starts every part, and all of them answer", async () => {
  expect(lab.parts.kept).toEqual([]);
  const { code, output } = await commandLine("status").ended;
  expect(output.match(/ up /g)).toHaveLength(lab.parts.started.length);
  expect(code).toBe(0);
});

test("a second up keeps every process", async () => {
  const processes = labProcesses(home.id);
  const again = await openLab({ name: NAME }, progress);
  expect(again.parts.started).toEqual([]);
  expect(again.addresses).toEqual(lab.addresses);
  expect(labProcesses(home.id)).toEqual(processes);
});

test("buildx builds and pushes with the lab's builder, and a FROM line of docker.io finds the lab's image", async () => {
  const folder = await probeFolder(progress);
  await inLab(lab, "buildx", ["build", "--push", "--tag", image, folder]);
  await inLab(lab, "buildx", ["build", "--push", "--tag", `${lab.addresses.registry}/mirrored/probe:1`, folder]);
  const mirrored = ["--file", join(folder, "Dockerfile.mirrored"), "--tag", `${lab.addresses.registry}/test/two:1`];
  await inLab(lab, "buildx", ["build", "--push", ...mirrored, folder]);
  const catalog = await fetch(`http://${lab.addresses.registry}/v2/_catalog`);
  const repositories = expect.arrayContaining(["mirrored/probe", "test/probe", "test/two"]);
  expect(await catalog.json()).toEqual({ repositories });
});

test("a pod runs an image of the registry and is reached through a node port on the machine's loopback", async () => {
  await inLab(lab, "kubectl", ["apply", "-f", "-"], probeObjects(image));
  await inLab(lab, "kubectl", ["rollout", "status", "deployment/probe", "--timeout=60s"]);
  const [first, last] = lab.addresses.nodePorts ?? [0, 0];
  const port = await nodePort(lab);
  expect(port).toBeGreaterThanOrEqual(first);
  expect(port).toBeLessThanOrEqual(last);
  expect(await ask(port, "/")).toMatch(/^probe-/);
});

test("a pod resolves Services and reaches them, the registry, MLflow and the API server", async () => {
  const port = await nodePort(lab);
  const fromPods = lab.addresses.fromPods ?? { registry: "", mlflow: "" };
  expect(await ask(port, "/lookup/probe.default.svc.cluster.local")).toMatch(/^\[10\.96\.\d+\.\d+\] <nil>$/);
  expect(await ask(port, "/dial/probe:80")).toBe("HTTP/1.1 200 OK");
  expect(await ask(port, `/dial/${fromPods.registry}`)).toBe("HTTP/1.0 200 OK");
  expect(await ask(port, `/dial/${new URL(fromPods.mlflow).host}`)).toBe("HTTP/1.1 200 OK");
  expect(await ask(port, "/dial/kubernetes:443")).toBe("HTTP/1.0 400 Bad Request");
});

test("an image that docker.io would have comes from the lab's registry", async () => {
  await inLab(lab, "kubectl", ["run", "mirrored", "--image=docker.io/mirrored/probe:1"]);
  await inLab(lab, "kubectl", ["wait", "--for=condition=Ready", "pod/mirrored", "--timeout=60s"]);
  await inLab(lab, "kubectl", ["delete", "pod/mirrored", "--grace-period=1"]);
});

test("kubectl logs, exec and port-forward work through the door", async () => {
  expect(await inLab(lab, "kubectl", ["logs", "deployment/probe"])).toBe("listening\n");
  // The image holds one program: that exec finds no other shows that the request reached the container's runtime.
  await expect(inLab(lab, "kubectl", ["exec", "deployment/probe", "--", "/none"])).rejects.toThrow(/no such file/);
  const environment = { ...process.env, ...lab.environment };
  const forward = spawn("kubectl", ["port-forward", "service/probe", ":80"], {
    env: environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = (await once(forward.stdout, "data")) as [Buffer];
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);
  expect(await ask(port, "/")).toMatch(/^probe-/);
  forward.kill();
  await once(forward, "exit");
});

test("a namespace with Pod Security restricted refuses a pod that runs as root", async () => {
  await inLab(lab, "kubectl", ["create", "namespace", "restricted"]);
  await inLab(lab, "kubectl", ["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
  const root = inLab(lab, "kubectl", ["run", "root", "--namespace=restricted", `--image=${image}`]);
  await expect(root).rejects.toThrow(/violates PodSecurity "restricted:latest"/);
});

test("the API server lets nobody in without a name", async () => {
  const view = ["config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}"];
  const server = await inLab(lab, "kubectl", view);
  const asked = request(`${server}/version`, { rejectUnauthorized: false }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  expect(answer.statusCode).toBe(401);
  answer.resume();
});

test("a part that was killed is started again, and no other; the pods stay", async () => {
  const containers = ["get", "pods", "--output=jsonpath={.items[*].status.containerStatuses[*].containerID}"];
  const running = await inLab(lab, "kubectl", containers);
  process.kill(partProcess(labProcesses(home.id), "containerd")?.pid ?? Number.NaN, "SIGKILL");
  const mended = await openLab({ name: NAME }, progress);
  expect(mended.parts.started).toEqual(["containerd"]);
  await sleep(3000); // kubelet would have noticed by then that a container is gone
  expect(await inLab(lab, "kubectl", containers)).toBe(running);
});

test("two labs are up at the same time and do not see each other", async () => {
  const other = { name: "t-lab-two" };
  await closeLab({ ...other, purge: true }, progress);
  try {
    const two = await openLab(other, progress);
    expect(two.addresses.registry).not.toBe(lab.addresses.registry);
    expect(await inLab(two, "kubectl", ["get", "pods", "--output=name"])).toBe("");
    expect(await inLab(lab, "kubectl", ["get", "pods", "--output=name"])).toMatch(/^pod\/probe-/);
  } finally {
    await closeLab({ ...other, purge: true }, progress);
  }
  expect(tracesOf(labHome(other.name))).toEqual([]);
  expect(await ask(await nodePort(lab), "/")).toMatch(/^probe-/);
});

test("a lab for a cluster that is there already copies the named context, and has no cluster of its own", async () => {
  const other = { name: "t-lab-current" };
  const { kubeconfig, context } = lab.addresses.kubernetes;
  await closeLab({ ...other, purge: true }, progress);
  vi.stubEnv("KUBECONFIG", kubeconfig);
  try {
    const unknown = openLab({ ...other, cluster: "current", context: "nowhere" }, progress);
    await expect(unknown).rejects.toMatchObject({ remedy: expect.stringContaining("get-contexts") });
    const current = await openLab({ ...other, cluster: "current" }, progress);
    expect(current.parts.started).toEqual(["doors", "mlflow", "registry", "buildkit"]);
    expect(current.addresses.kubernetes).toEqual({
      kubeconfig: join(labHome(other.name).state, "kubeconfig"),
      context,
    });
    expect(await inLab(current, "kubectl", ["get", "nodes", "--output=name"])).toBe("node/lab\n");
    const embedded = openLab({ ...other, cluster: "embedded" }, progress);
    await expect(embedded).rejects.toMatchObject({ code: "LAB_CLUSTER_DIFFERS" });
  } finally {
    vi.unstubAllEnvs();
    await closeLab({ ...other, purge: true }, progress);
  }
});

test("when the lab's first process is killed everything ends, and the next up brings the data and the pods back", async () => {
  process.kill(findNamespaces(home)?.init ?? Number.NaN, "SIGKILL");
  await sleep(300);
  expect(labProcesses(home.id)).toEqual([]);
  const mended = await openLab({ name: NAME }, progress);
  expect(mended.parts.kept).toEqual([]);
  expect(mended.addresses).toEqual(lab.addresses);
  expect(await ask(await nodePort(lab), "/", 60_000)).toMatch(/^probe-/);
});

test("down leaves nothing on the machine but the data, and up brings it back", async () => {
  const network = networkInside(home);
  expect(network.devices.length).toBeGreaterThan(0);
  expect(network.rules.length).toBeGreaterThan(0);
  await closeLab({ name: NAME }, progress);
  expect(tracesOf(home, network)).toEqual([]);
  expect(machineState()).toEqual(before);
  lab = await openLab({ name: NAME }, progress);
  expect(await ask(await nodePort(lab), "/", 60_000)).toMatch(/^probe-/);
  const tags = await fetch(`http://${lab.addresses.registry}/v2/test/probe/tags/list`);
  expect(await tags.json()).toEqual({ name: "test/probe", tags: ["1"] });
});

test("an up that is killed at any moment is mended by the next", async () => {
  for (const milliseconds of [400, 2500]) {
    await closeLab({ name: NAME }, progress);
    const killed = commandLine("up");
    await sleep(milliseconds);
    killed.child.kill("SIGKILL");
    await killed.ended;
    lab = await openLab({ name: NAME }, progress);
    const { code, output } = await commandLine("status").ended;
    expect(output).not.toMatch(/down|not answering/);
    expect(code).toBe(0);
  }
});

test("two ups at the same time are one after the other, and the second says whom it waits for", async () => {
  await closeLab({ name: NAME }, progress);
  const [first, second] = [commandLine("up"), commandLine("up")];
  const results = await Promise.all([first.ended, second.ended]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  const outputs = results.map(({ output }) => output);
  expect(outputs.filter((output) => output.includes("was up already"))).toHaveLength(1);
  const waited = outputs.find((output) => output.includes("waiting for process")) ?? "";
  expect(waited).toMatch(new RegExp(`waiting for process (${first.child.pid}|${second.child.pid}) \\(lab up since`));
});
