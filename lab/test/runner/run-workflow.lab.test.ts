import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { Progress } from "../../src/progress/progress.ts";
import { runWorkflow } from "../../src/runner/run-workflow.ts";
import type { WorkflowRequest } from "../../src/runner/workflow-request.ts";
import type { RunnerEvent } from "../../src/runner/workflow-run.ts";
import { ensureToolchain } from "../../src/toolchain/toolchain.ts";
import { makeRepositories, type Repositories } from "./model-repository.ts";

const SECRET = "s3cr3t-value";

let act: string;
let repositories: Repositories;

beforeAll(async () => {
  const toolchain = await ensureToolchain(["act"], new Progress({ logs: join(tmpdir(), "runner-test-logs") }));
  act = toolchain.path("act");
}, 600_000);

afterEach(() => repositories.remove());

function request(
  workflow: string,
  changes: Partial<WorkflowRequest> = {},
  files: Record<string, string> = {},
): WorkflowRequest {
  repositories = makeRepositories(workflow, files);
  return {
    act,
    repository: repositories.user,
    workflow: ".github/workflows/pipeline.yml",
    event: "push",
    payload: { ref: "refs/heads/main", repository: { full_name: "someone/model", default_branch: "main" } },
    secrets: { TOKEN: SECRET },
    variables: { PLACE: "the lab" },
    environment: { PATH: process.env.PATH ?? "", FROM_THE_MACHINE: "yes" },
    repositories: [{ name: "ORG/actions", ref: "v1", folder: repositories.actions }],
    state: repositories.state,
    toolCache: join(repositories.state, "tool-cache"),
    ...changes,
  };
}

const lines = (events: readonly RunnerEvent[]) => events.flatMap((event) => (event.type === "log" ? [event.line] : []));

const NESTED = `name: pipeline
on: [push, workflow_dispatch]
jobs:
  model:
    uses: ORG/actions/.github/workflows/outer.yml@v1
    with: { word: "\${{ github.event.inputs.word || 'abc' }}" }
    secrets: inherit
  last:
    needs: model
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: |
          echo "last heard \${{ needs.model.outputs.answer }} from $(cat note.txt) at $GITHUB_REPOSITORY $GITHUB_REF_NAME"
          echo "machine: $FROM_THE_MACHINE, token: \${{ secrets.TOKEN }}"
`;

test("an action's outputs come back through two called workflows, and its summary reaches people", async () => {
  const events: RunnerEvent[] = [];
  const run = await runWorkflow(
    request(NESTED, { onEvent: (event) => events.push(event) }, { "note.txt": "a checked-out file" }),
  );
  expect(run.conclusion).toBe("success");
  expect(run.jobs.map(({ name, conclusion }) => `${name} ${conclusion}`)).toEqual([
    "nested/inner/work success",
    "model/outer/after success",
    "pipeline/last success",
  ]);
  const double = run.jobs[0]?.steps.find(({ id }) => id === "double");
  expect(double).toMatchObject({
    conclusion: "success",
    outputs: { twice: "abcabc", lines: "a\nb" },
    summary: "## Doubled\n\nwith ***\n",
  });
  expect(lines(events)).toContain("doubling abc on Node 24");
  expect(lines(events)).toContain("nested said abcabc in the lab");
  expect(lines(events)).toContain("last heard abcabc from a checked-out file at someone/model main");
  expect(events).toContainEqual(
    expect.objectContaining({ type: "annotation", level: "warning", message: "be careful with ***" }),
  );
});

test("secrets are in no event, no argument and no file that stays", async () => {
  const events: RunnerEvent[] = [];
  let argumentsSeen = "";
  const onEvent = (event: RunnerEvent) => {
    events.push(event);
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        argumentsSeen += readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        // ended
      }
    }
  };
  const run = await runWorkflow(request(NESTED, { onEvent }));
  expect(lines(events)).toContain("machine: yes, token: ***");
  expect(argumentsSeen).toContain("--secret-file");
  expect(argumentsSeen).not.toContain(SECRET);
  expect(JSON.stringify([events, run])).not.toContain(SECRET);
  expect(readdirSync(join(repositories.state, "runs"))).toEqual([]);
});

test("a dispatch's inputs reach the workflow", async () => {
  const run = await runWorkflow(request(NESTED, { event: "workflow_dispatch", inputs: { word: "xy" } }));
  expect(run.jobs[0]?.outputs.twice).toBe("xyxy");
});

test("a failing step fails its job and the run; later steps and jobs are skipped, always() steps are not", async () => {
  const run = await runWorkflow(
    request(`name: pipeline
on: push
jobs:
  breaks:
    runs-on: ubuntu-latest
    steps:
      - { id: tolerated, continue-on-error: true, run: exit 3 }
      - { id: bad, run: exit 4 }
      - { id: never, run: echo never }
      - { id: always, if: always(), run: echo "x=1" >> "$GITHUB_OUTPUT" }
  dependent:
    needs: breaks
    runs-on: ubuntu-latest
    steps: [{ run: echo }]
`),
  );
  expect(run.conclusion).toBe("failure");
  expect(run.error).toContain("'breaks' failed");
  const [breaks, dependent] = run.jobs;
  expect(breaks?.steps.map(({ id, conclusion }) => `${id} ${conclusion}`)).toEqual([
    "tolerated failure",
    "bad failure",
    "never skipped",
    "always success",
  ]);
  expect(breaks?.errors).toContain("exit status 4");
  expect(breaks?.outputs).toEqual({ x: "1" });
  expect(dependent).toMatchObject({ id: "dependent", conclusion: "skipped", steps: [] });
});

const WAITS = {
  ".github/actions/wait/action.yml": "name: wait\ndescription: waits\nruns: { using: node24, main: index.js }\n",
  ".github/actions/wait/index.js": `
    require("node:child_process").spawn("sleep", ["611"], { detached: true, stdio: "ignore" }).unref();
    process.on("SIGINT", () => { console.log("asked to stop"); setTimeout(() => process.exit(1), 300); });
    setInterval(() => {}, 1000);
    console.log("started");
  `,
};

const LONG = `name: pipeline
on: push
jobs:
  long:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - { id: wait, uses: ./.github/actions/wait }
      - { id: never, run: echo never }
      - { id: last, if: always(), run: echo cleaned up }
  next:
    needs: long
    runs-on: ubuntu-latest
    steps: [{ run: echo never }]
`;

/** The sleeping processes that a step of these tests has left behind. */
function leftBehind(): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8") === "sleep\x00611\x00";
    } catch {
      return false; // ended
    }
  });
}

test("a cancelled run gives its step SIGINT and time to end, runs always() steps and leaves nothing behind", async () => {
  const controller = new AbortController();
  const events: RunnerEvent[] = [];
  const onEvent = (event: RunnerEvent) => {
    events.push(event);
    if (event.type === "log" && event.line === "started") controller.abort();
  };
  const run = await runWorkflow(request(LONG, { signal: controller.signal, onEvent }, WAITS));
  expect(run.conclusion).toBe("cancelled");
  expect(lines(events)).toEqual(["started", "asked to stop", "cleaned up"]);
  expect(run.jobs[0]).toMatchObject({ conclusion: "cancelled" });
  expect(run.jobs[0]?.steps.map(({ id, conclusion }) => `${id} ${conclusion}`)).toContain("wait cancelled");
  expect(leftBehind()).toEqual([]);
  expect(readdirSync(join(repositories.state, "runs"))).toEqual([]);
});

test("a workflow that is not valid is refused with the place of the mistake", async () => {
  const refused = runWorkflow(request("name: x\non: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    stepz: []\n"));
  await expect(refused).rejects.toMatchObject({
    code: "WORKFLOW_REFUSED",
    message: expect.stringMatching(/stepz|Line: \d/),
  });
});
