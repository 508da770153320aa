import { delimiter } from "node:path";
import { createVitest, parseCLI, TestsNotFoundError, type Vitest } from "vitest/node";
import { runAsRoot } from "../../../lab/src/privileges.ts";
import { inRepository, root } from "../repository/repository.ts";
import { explainFailure } from "../repository/tool.ts";
import { ensureNeededTools } from "./needed-tools.ts";
import { closingLine, isGood, type Outcome } from "./outcome.ts";
import { ProgressReporter } from "./reporter.ts";
import { openTestLab, type TestLab } from "./test-lab.ts";

const help = `Runs the tests. Where one of them needs the lab (*.lab.test.ts), a lab of their own is set up first and taken down after.

usage: npm test [-- filters and flags]

  npm test                              everything
  npm test -- actions/shared            the tests below one folder, or whose path holds this text
  npm test -- --project unit            only those that need no lab
  npm test -- -t "refuses a digest"     only those whose name matches
  Any other flag of vitest 5 works as well, such as --bail 1.

To run tests again and again, keep their lab up: npm run lab -- up --name test

The last line says how many passed, failed and were skipped; the exit code is 0 only if none failed and one passed.
`;

/** How long tests that are asked to stop may take, and how long vitest may take to come to its end after that. */
const stopMilliseconds = 3_000;

const within = (work: Promise<unknown>) =>
  Promise.race([work, new Promise((done) => setTimeout(done, stopMilliseconds))]);

async function createRunner(options: ReturnType<typeof parseCLI>["options"], reporter: ProgressReporter) {
  const given = [options.reporters ?? []].flat() as string[];
  const fixed = { root, config: inRepository("vitest.config.ts"), watch: false, run: true };
  // Everything on one stream, so that what belongs together stays together.
  return createVitest({ ...options, ...fixed, reporters: [reporter, ...given] }, {}, { stderr: process.stdout });
}

/** The tools that the selected tests name, in the hands of those tests. */
async function openToolsFor(vitest: Vitest, filters: string[], signal: AbortSignal): Promise<void> {
  const selected = await vitest.getRelevantTestSpecifications(filters);
  const tools = await ensureNeededTools(
    selected.map(({ moduleId }) => moduleId),
    signal,
  );
  if (tools === undefined) return;
  for (const project of new Set(selected.map((specification) => specification.project))) {
    project.provide("tools", tools.provided);
    const { PATH = process.env.PATH ?? "" } = project.config.env ?? {};
    project.config.env = { ...project.config.env, PATH: `${tools.bin}${delimiter}${PATH}` };
  }
}

/** The lab, if one of the selected tests needs it, in the hands of those tests. */
async function openLabFor(vitest: Vitest, filters: string[], signal: AbortSignal): Promise<TestLab | undefined> {
  const selected = await vitest.getRelevantTestSpecifications(filters);
  const project = selected.find((specification) => specification.project.name === "lab")?.project;
  if (!project) return undefined;
  runAsRoot();
  const lab = await openTestLab(signal);
  project.provide("lab", lab.provided);
  project.config.env = { ...project.config.env, ...lab.provided.environment };
  return lab;
}

/** Runs the selected tests. What goes wrong around them counts as a failure. */
async function runTests(words: string[]): Promise<Outcome> {
  const { filter, options } = parseCLI(["vitest", ...words]);
  const reporter = new ProgressReporter();
  const vitest = await createRunner(options, reporter);
  const stop = listenForStop();
  const problems: unknown[] = [];
  const attempt = (work: Promise<unknown>) => work.catch((error: unknown) => void problems.push(error));

  let lab: TestLab | undefined;
  await attempt(
    (async () => {
      lab = await openLabFor(vitest, filter, stop);
      await openToolsFor(vitest, filter, stop);
      const run = vitest.start(filter).catch((error: unknown) => {
        if (!(error instanceof TestsNotFoundError)) throw error;
      });
      await Promise.race([run, aborted(stop)]);
    })(),
  );
  if (stop.aborted) {
    problems.splice(0, problems.length, new Error("the run was stopped"));
    await within(vitest.cancelCurrentRun("keyboard-input"));
  }
  const closed = attempt(vitest.close());
  await (stop.aborted ? within(closed) : closed);
  const { passed, failed, skipped } = reporter.outcome;
  if (lab) await attempt(lab.close(failed + problems.length > 0 && !stop.aborted));
  for (const problem of problems) console.log(`\n${explainFailure(problem)}`);
  return { passed, failed: failed + problems.length, skipped };
}

/** A signal that aborts when this process is asked to stop. vitest's own handlers would end it at once, and the lab stay. */
function listenForStop(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => controller.abort());
  }
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}

const words = process.argv.slice(2);
if (words.includes("--help") || words.includes("-h")) {
  process.stdout.write(help);
} else {
  const outcome = await runTests(words).catch((error: unknown): Outcome => {
    console.log(explainFailure(error));
    return { passed: 0, failed: 1, skipped: 0 };
  });
  if (outcome.passed + outcome.failed === 0) console.log("no test ran: nothing matches, or all are skipped");
  process.stdout.write(`${closingLine(outcome)}\n`, () => process.exit(isGood(outcome) ? 0 : 1));
}
