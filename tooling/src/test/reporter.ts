import type { UserConsoleLog } from "vitest";
import type { Reporter, SerializedError, TestCase, TestModule, TestSpecification, Vitest } from "vitest/node";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** A test that takes longer is shown by itself when it ends, and mentioned while it runs. */
const slowMilliseconds = 5_000;
const heartbeatMilliseconds = 15_000;

/** Shows a run to a person: a line for each file, each failure where it happens, and what a slow test is at. */
export class ProgressReporter implements Reporter {
  #vitest: Vitest | undefined;
  #total = 0;
  #done = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #running = new Map<string, { readonly test: TestCase; readonly since: number }>();
  readonly #failed: string[] = [];
  readonly #skipped: string[] = [];
  #outcome = { passed: 0, failed: 0, skipped: 0 };

  /** What became of the run so far. */
  get outcome(): Outcome {
    return this.#outcome;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#total = specifications.length;
    this.#heartbeat = setInterval(() => this.#mention(), heartbeatMilliseconds).unref();
  }

  onTestCaseReady(test: TestCase): void {
    this.#running.set(test.id, { test, since: Date.now() });
  }

  onTestCaseResult(test: TestCase): void {
    this.#running.delete(test.id);
    const milliseconds = test.diagnostic()?.duration ?? 0;
    if (milliseconds >= slowMilliseconds) this.#say(`      ${test.fullName} (${seconds(milliseconds)})`);
    const result = test.result();
    if (result.state === "skipped")
      this.#skipped.push(`${test.module.relativeModuleId} > ${test.fullName}${result.note ? `: ${result.note}` : ""}`);
  }

  onTestModuleEnd(module: TestModule): void {
    const { passed, failed, skipped, failures } = outcomeOf(module);
    this.#outcome = {
      passed: this.#outcome.passed + passed,
      failed: this.#outcome.failed + failed,
      skipped: this.#outcome.skipped + skipped,
    };
    this.#done += 1;
    const { duration, collectDuration } = module.diagnostic();
    const mark = failed > 0 ? "FAIL" : "ok  ";
    const count = `${passed + failed + skipped} tests`;
    this.#say(
      `${mark}  ${module.relativeModuleId} (${count}, ${seconds(duration + collectDuration)}) [${this.#done}/${this.#total}]`,
    );
    for (const { name, errors } of failures) {
      this.#failed.push(`${module.relativeModuleId} > ${name}`);
      this.#say(`\n  ✗ ${name}`);
      for (const error of errors) this.#vitest?.logger.printError(error, { project: module.project });
    }
  }

  onTestRunEnd(_: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    clearInterval(this.#heartbeat);
    if (unhandledErrors.length > 0) {
      this.#outcome = { ...this.#outcome, failed: this.#outcome.failed + unhandledErrors.length };
      this.#vitest?.logger.printUnhandledErrors(unhandledErrors);
      this.#failed.push(...unhandledErrors.map(({ message }) => `error outside any test: ${message}`));
    }
    if (this.#skipped.length > 0) this.#say(`\nskipped:\n${this.#skipped.map((name) => `  - ${name}`).join("\n")}`);
    if (this.#failed.length > 0) this.#say(`\nfailed:\n${this.#failed.map((name) => `  ✗ ${name}`).join("\n")}`);
  }

  onUserConsoleLog(log: UserConsoleLog): void {
    process[log.type].write(log.content);
  }

  onProcessTimeout(): void {
    this.#say("a test left something running that keeps its process alive");
  }

  #mention(): void {
    for (const { test, since } of this.#running.values()) {
      const milliseconds = Date.now() - since;
      if (milliseconds >= heartbeatMilliseconds) this.#say(`      … ${test.fullName}: ${seconds(milliseconds)} so far`);
    }
  }

  #say(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
