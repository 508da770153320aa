import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { doorsPart } from "../../src/doors/doors.ts";
import { choosePorts } from "../../src/doors/ports.ts";
import { closeNamespaces, openNamespaces } from "../../src/namespaces/namespaces.ts";
import { labProcesses, partProcess } from "../../src/namespaces/process-table.ts";
import { bringUp } from "../../src/parts/bring-up.ts";
import { Progress } from "../../src/progress/progress.ts";
import { mlflowPart } from "../../src/services/mlflow.ts";
import { labHome } from "../../src/state/home.ts";
import { ensureToolchain } from "../../src/toolchain/toolchain.ts";

// The doors and MLflow alone, in namespaces of their own, and a cache in which there is no empty database yet.
const home = labHome("t-mlflow");
const database = join(home.state, "mlflow.db");
const scratch = mkdtempSync(join(tmpdir(), "mlflow-test-"));
let port: number;
let up: (signal?: AbortSignal) => ReturnType<typeof bringUp>;

beforeAll(async () => {
  await closeNamespaces(home);
  rmSync(home.state, { recursive: true, force: true });
  const quiet = { logs: join(scratch, "logs"), output: { write: () => true } };
  const toolchain = await ensureToolchain(["pause", "mlflow", "network"], new Progress(quiet));
  vi.stubEnv("MLOPS_ACTIONS_CACHE", join(scratch, "cache"));
  port = (await choosePorts(home.id)).mlflow;
  const parts = [doorsPart(home, [{ host: "127.0.0.1", port }]), mlflowPart(home, toolchain, port)];
  up = async (signal) => {
    const namespaces = await openNamespaces(home, toolchain.path("pause"));
    return bringUp(home, namespaces, parts, new Progress({ ...quiet, ...(signal && { signal }) }));
  };
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await closeNamespaces(home);
  for (const folder of [home.state, home.sockets, scratch]) rmSync(folder, { recursive: true, force: true });
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !holds(); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`not seen within a minute: ${what}`);
  }
}

/** The process that runs MLflow now. */
function server(): number {
  const process = partProcess(labProcesses(home.id), "mlflow");
  if (!process) throw new Error("MLflow does not run");
  return process.pid;
}

const databases = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.db$/.test(name))
    : [];

test("a new lab that is stopped, and whose MLflow is then killed, while they make the database is mended by the next up", async () => {
  const stop = new AbortController();
  const stopped = up(stop.signal).catch((error: unknown) => error);
  await until("a database", () => databases(join(scratch, "cache")).length > 0 || existsSync(database));
  await sleep(300); // in the middle of the schema's many steps
  stop.abort();
  expect(await stopped).toMatchObject({ code: "CANCELLED" });

  const killed = up().catch((error: unknown) => error);
  await until("MLflow", () => partProcess(labProcesses(home.id), "mlflow") !== undefined && existsSync(database));
  await sleep(300);
  process.kill(server(), "SIGKILL");
  expect(await killed).toMatchObject({ code: "PART_ENDED" });

  expect(await up()).toEqual({ started: ["mlflow"], kept: ["doors"] });
  const answer = await fetch(`http://127.0.0.1:${port}/api/2.0/mlflow/experiments/get?experiment_id=0`);
  expect(await answer.json()).toMatchObject({ experiment: { name: "Default" } });
  expect(databases(home.state)).toEqual(["mlflow.db"]);
});

test("an up that finds MLflow starting waits for that one", async () => {
  const before = server();
  process.kill(before, "SIGKILL");
  const stop = new AbortController();
  const stopped = up(stop.signal).catch((error: unknown) => error);
  const pid = () => partProcess(labProcesses(home.id), "mlflow")?.pid ?? before;
  await until("MLflow anew", () => pid() !== before);
  stop.abort();
  expect(await stopped).toMatchObject({ code: "CANCELLED" });
  const starting = server();
  expect(await up()).toEqual({ started: [], kept: ["doors", "mlflow"] });
  expect(server()).toBe(starting);
});
