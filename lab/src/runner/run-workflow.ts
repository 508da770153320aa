import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { adopt, signalExitCode } from "../progress/children.ts";
import { LabError } from "../progress/error.ts";
import { endWithParent } from "../progress/run-child.ts";
import { actArguments, makeRunFolder, type RunFolder, runnerEnvironment } from "./act-files.ts";
import { readActLine } from "./act-log.ts";
import { Redaction } from "./redaction.ts";
import { RunRecord } from "./run-record.ts";
import { endSteps, killTracked } from "./step-processes.ts";
import type { WorkflowRequest } from "./workflow-request.ts";
import type { WorkflowRun } from "./workflow-run.ts";

/** How long `always()` steps may still take after a cancellation, and how long act then gets to end by itself. */
const AFTER_CANCEL_MS = 60_000;
const AFTER_FORCE_MS = 5000;

/**
 * Runs a workflow on this machine with `act`, in host mode. What act does not do is written in the README beside this file.
 * @returns the result, also of a run that failed or was cancelled.
 * @throws LabError WORKFLOW_REFUSED when no job could be started: the workflow is not valid, or does not listen to the event.
 */
export async function runWorkflow(request: WorkflowRequest): Promise<WorkflowRun> {
  const token = request.secrets.GITHUB_TOKEN ?? `lab_${randomBytes(20).toString("hex")}`;
  const redaction = new Redaction([token, ...Object.values(request.secrets)]);
  const trackingId = `lab_${randomBytes(16).toString("hex")}`;
  const folder = makeRunFolder(request.state);
  const record = new RunRecord(() => performance.now());
  try {
    const args = actArguments(request, folder, trackingId, token);
    const { code, error } = await runAct(request, args, folder, trackingId, record, redaction);
    if (!record.begun && code !== 0 && !request.signal?.aborted) throw refused(request, error);
    return record.result(code, error);
  } finally {
    rmSync(folder.path, { recursive: true, force: true });
  }
}

function refused(request: WorkflowRequest, error: string | undefined): LabError {
  return new LabError(
    "WORKFLOW_REFUSED",
    `${request.workflow} could not be run for the event ${request.event}: ${error ?? "act gave no reason"}`,
    {
      remedy: "correct the workflow file; `npm run check` reads it with GitHub's own parser",
    },
  );
}

async function runAct(
  request: WorkflowRequest,
  args: readonly string[],
  folder: RunFolder,
  trackingId: string,
  record: RunRecord,
  redaction: Redaction,
): Promise<{ code: number; error: string | undefined }> {
  const [program = request.act, ...words] = [...endWithParent(), request.act, ...args];
  const act = spawn(program, words, {
    cwd: folder.path,
    env: runnerEnvironment(request, folder),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = act.pid;
  let cancelling: Promise<void> | undefined;
  const cancel = () => {
    if (pid === undefined || cancelling) return;
    record.cancel();
    cancelling = cancelAct(pid, trackingId);
  };
  const group = pid === undefined ? undefined : adopt(pid, cancel);
  if (request.signal?.aborted) cancel();
  request.signal?.addEventListener("abort", cancel, { once: true });

  const reason: string[] = [];
  createInterface({ input: act.stderr }).on("line", (line) => {
    // The reason for a failure is not JSON, alone among act's lines.
    if (!line.startsWith("{") && line.trim() !== "") reason.push(redaction.text(line.replace(/^Error: /, "").trim()));
  });
  createInterface({ input: act.stdout }).on("line", (line) => {
    for (const event of readActLine(line, redaction)) {
      if (!record.begun) rmSync(folder.secrets, { force: true }); // act has read it before the first job
      record.add(event);
      request.onEvent?.(event);
    }
  });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      act.on("error", reject);
      act.on("close", (exit, signal) => resolve(signal ? signalExitCode(signal) : (exit ?? 0)));
      // What steps left behind goes with the run, and must not keep it open.
      act.on("exit", () => killTracked(trackingId));
    });
    return { code, error: reason.length > 0 ? reason.join("; ") : undefined };
  } catch (cause) {
    throw new LabError("RUNNER_NOT_STARTED", `${request.act} could not be started`, {
      remedy: "set the toolchain up again: npm run lab -- up",
      cause,
    });
  } finally {
    request.signal?.removeEventListener("abort", cancel);
    group?.ended();
  }
}

/** Ends the steps in their order, then lets act wind the run up, and insists if it does not. */
async function cancelAct(pid: number, trackingId: string): Promise<void> {
  await endSteps(trackingId, pid);
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch {
      // it has ended
    }
  };
  signal("SIGINT");
  setTimeout(() => {
    signal("SIGTERM");
    setTimeout(() => signal("SIGKILL"), AFTER_FORCE_MS).unref();
  }, AFTER_CANCEL_MS).unref();
}
