import { describe, expect, it } from "vitest";
import { parseActionManifest, parseWorkflowFile } from "../../src/check/github-parser.ts";
import { danglingReferences } from "../../src/check/workflows.ts";

const called = `on:
  workflow_call:
    inputs:
      digest: { type: string, required: true }
jobs:
  x: { runs-on: ubuntu-latest, steps: [{ run: "true" }] }
`;
const caller = (given: string) => `on: push
jobs:
  x:
    uses: us/ours/.github/workflows/called.yml@v1
    with: { ${given} }
`;
const parse = (text: string) => parseWorkflowFile(".github/workflows/x.yml", text, "us/ours", async () => called);

describe("GitHub's parser", () => {
  it("takes a reference to the workflow's own repository, a queue and an environment without a deployment", async () => {
    const text = `on: push
jobs:
  x:
    runs-on: ubuntu-latest
    environment: { name: staging, deployment: false }
    concurrency: { group: x, queue: max }
    steps: [{ uses: $/actions/plan }]
`;
    expect(await parse(text)).toEqual([]);
  });

  it("finds a key that does not belong there, with its place", async () => {
    expect(await parse(called.replace("steps:", "step:"))).toEqual([expect.stringMatching(/Line: \d+.*'step'/)]);
  });

  it("compares what a caller passes with what the called workflow takes", async () => {
    expect(await parse(caller("digest: a"))).toEqual([]);
    expect((await parse(caller("digests: a"))).join()).toMatch(/digest/);
  });

  it("finds a wrong key of an action.yml", () => {
    const manifest = "name: x\ndescription: x\nruns: { using: node24, mian: index.js }\n";
    expect(parseActionManifest("action.yml", manifest).join()).toContain("mian");
  });
});

describe("danglingReferences", () => {
  it("finds references to actions and workflows of this repository that are not there", () => {
    const text = `
      - uses: $/actions/plan # here
      - uses: $/actions/plam
      - uses: actions/checkout@v7
    uses: ./.github/workflows/x.yml
`;
    const there = ["actions/plan/action.yml"];
    expect(danglingReferences("w.yml", text, (path) => there.includes(path))).toEqual([
      "w.yml uses actions/plam, which is not there",
      "w.yml uses .github/workflows/x.yml, which is not there",
    ]);
  });
});
