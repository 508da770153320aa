import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createVitest } from "vitest/node";
import { buildFolder } from "../../src/build/compile.ts";
import { closingLine, isGood } from "../../src/test/outcome.ts";
import { ProgressReporter } from "../../src/test/reporter.ts";

/** Runs test files with the reporter of `npm test`: the outcome, and what was shown. */
async function run(files: Readonly<Record<string, string>>, testNamePattern = "") {
  await mkdir(buildFolder, { recursive: true });
  const root = await mkdtemp(join(buildFolder, "reporter-"));
  const shown: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => shown.push(String(text)) > 0);
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
    const reporter = new ProgressReporter();
    const options = { root, config: false as const, watch: false, reporters: [reporter], include: ["*.test.ts"] };
    const vitest = await createVitest({ ...options, testNamePattern }, {}, { stderr: process.stdout });
    await vitest.start();
    await vitest.close();
    return { outcome: reporter.outcome, shown: shown.join("") };
  } finally {
    write.mockRestore();
    await rm(root, { recursive: true });
  }
}

const mixed = `
import { beforeAll, describe, expect, it } from "vitest";
it("passes", () => undefined);
it("fails", () => expect(1).toBe(2));
it.skip("is skipped", () => undefined);
describe("a group", () => {
  beforeAll(() => { throw new Error("its hook broke"); });
  it("cannot run", () => undefined);
});
`;

describe("the reporter of npm test", () => {
  const before = process.exitCode;
  afterEach(() => {
    process.exitCode = before; // vitest sets it for a run that failed, as these are to
  });

  it("counts what passed, failed, was skipped, and could not run because of a hook", async () => {
    const { outcome, shown } = await run({ "mixed.test.ts": mixed });
    expect(outcome).toEqual({ passed: 1, failed: 2, skipped: 2 });
    expect(shown).toContain("its hook broke");
    expect(shown).toMatch(/FAIL\s+mixed\.test\.ts/);
    expect(shown).toContain("✗ mixed.test.ts > fails");
  });

  it("counts a file that cannot be loaded as a failure", async () => {
    const { outcome } = await run({ "broken.test.ts": "import './nothing.ts';" });
    expect(outcome).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("counts an error outside any test as a failure", async () => {
    const late = `import { it } from "vitest";
it("passes", async () => { setTimeout(() => { throw new Error("too late"); }, 5); await new Promise((done) => setTimeout(done, 50)); });`;
    const { outcome, shown } = await run({ "late.test.ts": late });
    expect(outcome).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(shown).toContain("error outside any test: too late");
  });
});

describe("the closing line", () => {
  it("leaves out the skipped ones when there are none", () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
    expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
  });

  it("is good only if something passed and nothing failed", () => {
    expect(isGood({ passed: 1, failed: 0, skipped: 1 })).toBe(true);
    expect(isGood({ passed: 1, failed: 1, skipped: 0 })).toBe(false);
    expect(isGood({ passed: 0, failed: 0, skipped: 4 })).toBe(false);
  });
});
