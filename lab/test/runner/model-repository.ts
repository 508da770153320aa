import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A user's repository and a repository of actions, as folders, for one test. */
export interface Repositories {
  readonly user: string;
  readonly actions: string;
  readonly state: string;
  remove(): void;
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

const DOUBLE = {
  "actions/double/action.yml": `name: double
description: says a word twice
inputs:
  word: { required: true, description: the word }
outputs:
  twice: { description: the word twice }
runs:
  using: node24
  main: ../../dist/double/index.js
`,
  "dist/double/index.js": `const { appendFileSync } = require("node:fs");
const word = process.env.INPUT_WORD;
console.log("doubling " + word + " on Node " + process.versions.node.split(".")[0]);
console.log("::warning file=a.txt,line=3::be careful with " + process.env.TOKEN);
appendFileSync(process.env.GITHUB_OUTPUT, "twice=" + word + word + "\\nlines<<EOF\\na\\nb\\nEOF\\n");
appendFileSync(process.env.GITHUB_STEP_SUMMARY, "## Doubled\\n\\nwith " + process.env.TOKEN + "\\n");
`,
  ".github/workflows/inner.yml": `name: inner
on:
  workflow_call:
    inputs: { word: { type: string, required: true } }
    secrets: { TOKEN: { required: false } }
    outputs: { answer: { value: "\${{ jobs.work.outputs.answer }}" } }
jobs:
  work:
    runs-on: ubuntu-latest
    environment: staging
    outputs: { answer: "\${{ steps.double.outputs.twice }}" }
    steps:
      - id: double
        uses: ORG/actions/actions/double@v1
        env: { TOKEN: "\${{ secrets.TOKEN }}" }
        with: { word: "\${{ inputs.word }}" }
`,
  ".github/workflows/outer.yml": `name: outer
on:
  workflow_call:
    inputs: { word: { type: string, required: true } }
    secrets: { TOKEN: { required: false } }
    outputs: { answer: { value: "\${{ jobs.nested.outputs.answer }}" } }
jobs:
  nested:
    uses: ORG/actions/.github/workflows/inner.yml@v1
    with: { word: "\${{ inputs.word }}" }
    secrets: inherit
  after:
    needs: nested
    runs-on: ubuntu-latest
    steps:
      - run: echo "nested said \${{ needs.nested.outputs.answer }} in \${{ vars.PLACE }}"
`,
};

/**
 * Makes a repository with one workflow, and beside it a repository with an action and two nested workflows that use it.
 * @param workflow the content of `.github/workflows/pipeline.yml`.
 */
export function makeRepositories(workflow: string, files: Readonly<Record<string, string>> = {}): Repositories {
  const root = mkdtempSync(join(tmpdir(), "runner-test-"));
  const user = join(root, "user");
  const actions = join(root, "actions");
  write(actions, DOUBLE);
  write(user, { ".github/workflows/pipeline.yml": workflow, ...files });
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: user });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
  return { user, actions, state: join(root, "state"), remove: () => rmSync(root, { recursive: true, force: true }) };
}
