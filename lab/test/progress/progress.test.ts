import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { cancelled, LabError } from "../../src/progress/error.ts";
import { Progress } from "../../src/progress/progress.ts";

const logs = mkdtempSync(join(tmpdir(), "progress-"));
afterAll(() => rmSync(logs, { recursive: true, force: true }));
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function make(isTTY = false) {
  const written: string[] = [];
  const output = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  return { progress: new Progress({ logs, output }), written };
}

const after = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

test("a quick step gets one line", async () => {
  const { progress, written } = make();
  const step = progress.step("etcd", () => after(400));
  await vi.advanceTimersByTimeAsync(400);
  await step;
  expect(written).toEqual([" 0:00  etcd: done in 0.4 s\n"]);
});

test("a long step is announced, mentioned every 15 seconds and ended", async () => {
  const { progress, written } = make();
  const step = progress.step("kubernetes", async (running) => {
    running.detail = "compiling";
    await after(40_000);
    running.detail = "";
  });
  await vi.advanceTimersByTimeAsync(40_000);
  await step;
  expect(written).toEqual([
    " 0:01  kubernetes: compiling …\n",
    " 0:16  kubernetes: 16 s so far, compiling\n",
    " 0:31  kubernetes: 31 s so far, compiling\n",
    " 0:40  kubernetes: done in 40 s\n",
  ]);
});

test("a failed step shows the end of its log and where the whole log is", async () => {
  const { progress, written } = make();
  const step = progress.step("helm (unpack)", async (running) => {
    for (let line = 1; line <= 30; line++) running.note(`line ${line}`);
    throw new LabError("BROKEN", "it broke", { remedy: "mend it" });
  });
  await expect(step).rejects.toMatchObject({ code: "BROKEN" });
  const text = written.join("");
  expect(text).toContain("helm (unpack): FAILED after 0.0 s");
  expect(text).toContain("| line 30\n");
  expect(text).not.toContain("line 10\n");
  expect(text).toContain(join(logs, "helm-unpack-.log"));
});

test("a cancelled step is not called failed", async () => {
  const { progress, written } = make();
  const step = progress.step("mlflow", async (running) => {
    running.note("a line");
    throw cancelled("mlflow");
  });
  await expect(step).rejects.toMatchObject({ code: "CANCELLED" });
  expect(written).toEqual([" 0:00  mlflow: cancelled after 0.0 s\n"]);
});

test("on a terminal, steps that run at the same time share one line that fits", async () => {
  const { progress, written } = make(true);
  const steps = Promise.all([
    progress.step("one", () => after(3000)),
    progress.step("two with a long name that does not fit there", () => after(3000)),
  ]);
  await vi.advanceTimersByTimeAsync(2000);
  const live = written.at(-1) ?? "";
  expect(live).toMatch(/^ {1}0:02 {2}one 0:02 · two with/);
  expect(live.length).toBeLessThan(60);
  await vi.advanceTimersByTimeAsync(2000);
  await steps;
  expect(written.at(-1)).toContain("done in 3.0 s");
});

test("a step starts no further program once somebody asked to stop", async () => {
  const controller = new AbortController();
  controller.abort();
  const { progress } = make();
  const step = progress.step("any", (running) => running.run("true", [], { remedy: "" }), controller.signal);
  await expect(step).rejects.toMatchObject({ code: "CANCELLED" });
});

test("a program that fails gives the step's error, its reason and the remedy", async () => {
  vi.useRealTimers();
  const { progress } = make();
  const step = progress.step("any", (running) =>
    running.run("sh", ["-c", "echo no disk >&2; exit 7"], { remedy: "free some" }),
  );
  await expect(step).rejects.toMatchObject({
    code: "COMMAND_FAILED",
    remedy: "free some",
    message: "any: sh ended with exit code 7: no disk",
  });
});
