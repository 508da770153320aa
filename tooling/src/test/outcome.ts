import type { TestModule } from "vitest/node";

/** What became of a run, as numbers. */
export interface Outcome {
  readonly passed: number;
  /** Tests that failed, were cut off, or could not run because their file or a hook failed; and errors outside any test. */
  readonly failed: number;
  readonly skipped: number;
}

/** Everything went well, and there was something to go well. */
export function isGood({ passed, failed }: Outcome): boolean {
  return failed === 0 && passed > 0;
}

/** The line that ends `npm test`. */
export function closingLine({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** A test's name and the errors it failed with, or those of a hook or a file that could not be loaded. */
export interface Failure {
  readonly name: string;
  readonly errors: readonly unknown[];
}

/** What became of one file: each test counts once; a hook or a file that failed counts as one failure. */
export function outcomeOf(module: TestModule): Outcome & { readonly failures: readonly Failure[] } {
  const failures: Failure[] = [];
  const counts = { passed: 0, skipped: 0 };
  if (module.errors().length > 0) failures.push({ name: module.relativeModuleId, errors: module.errors() });
  for (const suite of module.children.allSuites())
    if (suite.errors().length > 0) failures.push({ name: suite.fullName, errors: suite.errors() });
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === "passed") counts.passed += 1;
    else if (result.state === "skipped") counts.skipped += 1;
    else if (result.state === "failed") failures.push({ name: test.fullName, errors: result.errors });
    else failures.push({ name: test.fullName, errors: [new Error("it was cut off before its end")] });
  }
  return { ...counts, failed: failures.length, failures };
}
