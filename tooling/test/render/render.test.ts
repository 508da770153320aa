import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { actOmissions, renderWorkflow } from "../../src/render/render.ts";

const text = `# What it is for.
name: Deploy
on: { workflow_call: {} }
permissions: { contents: read, artifact-metadata: write }
concurrency: { group: all, queue: max }
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment:
      name: production
      deployment: false
    concurrency:
      group: production # one at a time
      queue: max
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      # why
      - uses: $/actions/plan
        with: { descriptor: $/actions/plan }
      - run: 'echo "uses: $/actions/plan"' # a text, not a reference
  next:
    uses: ./.github/workflows/next.yml
  last:
    uses: $/.github/workflows/last.yml
`;

const source = "reusable-workflows/deploy.yml";
const pinned = { form: "pinned", source, repository: "platform/mlops-actions", ref: "v1.2.3" } as const;

describe("renderWorkflow for github.com", () => {
  it("changes nothing but the first line, which says where it comes from", () => {
    const [first, ...rest] = renderWorkflow(text, { form: "github", source }).split("\n");
    expect(first).toBe(`# Generated from ${source} by \`npm run build\`; do not edit.`);
    expect(rest.join("\n")).toBe(text);
  });
});

describe("renderWorkflow for another place", () => {
  const rendered = renderWorkflow(text, pinned);

  it("puts repository and ref into every reference to this library", () => {
    const { jobs } = parse(rendered);
    expect(jobs.deploy.steps[1].uses).toBe("platform/mlops-actions/actions/plan@v1.2.3");
    expect(jobs.next.uses).toBe("platform/mlops-actions/.github/workflows/next.yml@v1.2.3");
    expect(jobs.last.uses).toBe("platform/mlops-actions/.github/workflows/last.yml@v1.2.3");
  });

  it("leaves other actions and texts alone", () => {
    const { steps } = parse(rendered).jobs.deploy;
    expect(steps[0].uses).toBe("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1");
    expect(steps[1].with.descriptor).toBe("$/actions/plan");
    expect(steps[2].run).toBe('echo "uses: $/actions/plan"');
  });

  it("keeps every comment, so that pinned commits still say their version", () => {
    for (const comment of ["# What it is for.", "90b1 # v7.0.1", "# why", "# one at a time"])
      expect(rendered).toContain(comment);
  });

  it("keeps every key unless it is told to leave some out", () => {
    const { concurrency, jobs } = parse(rendered);
    expect(concurrency.queue).toBe("max");
    expect(jobs.deploy.environment.deployment).toBe(false);
  });

  it("leaves out what act does not know, and nothing else", () => {
    const { permissions, concurrency, jobs } = parse(renderWorkflow(text, { ...pinned, omit: actOmissions }));
    expect(permissions).toEqual({ contents: "read" });
    expect(concurrency).toEqual({ group: "all" });
    expect(jobs.deploy.concurrency).toEqual({ group: "production" });
    expect(jobs.deploy.environment).toEqual({ name: "production" });
  });

  it("refers to files beside the workflow for linters", () => {
    const { jobs } = parse(renderWorkflow(text, { form: "local", source }));
    expect(jobs.deploy.steps[1].uses).toBe("./actions/plan");
    expect(jobs.last.uses).toBe("./.github/workflows/last.yml");
  });

  it.each([
    [{ repository: "platform" }, "'platform' is no repository"],
    [{ repository: "a/b\n      - run: x" }, "is no repository"],
    [{ ref: "v1 # x" }, "'v1 # x' is no commit SHA"],
  ])("refuses %j, which could not stand in a reference", (wrong, message) => {
    expect(() => renderWorkflow(text, { ...pinned, ...wrong })).toThrow(message);
  });

  it("names the file that is no YAML", () => {
    expect(() => renderWorkflow("jobs: [", pinned)).toThrow(source);
  });
});
