import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inRepository, listReusableWorkflows } from "../../src/repository/repository.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rendered-"));
});
afterAll(() => rm(folder, { recursive: true }));

const render = (...args: string[]) =>
  spawnSync(process.execPath, [inRepository("tooling/src/render/main.ts"), ...args], { encoding: "utf8" });
const place = ["--repository", "platform/mlops-actions", "--ref", "0123abc"];

describe("the command that renders for GitHub Enterprise Server", () => {
  it("writes every workflow with repository and commit, and no reference that needs github.com", async () => {
    const { status, stdout } = render("--form", "pinned", ...place, "--out", folder);
    expect(status, stdout).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(listReusableWorkflows());
    for (const name of listReusableWorkflows()) {
      const text = await readFile(join(folder, name), "utf8");
      expect(text).not.toMatch(/uses: [$.]\//);
      expect(text).toContain("uses: platform/mlops-actions/actions/plan@0123abc");
    }
  });

  it.each([
    ["no place", ["--form", "pinned"], "--repository, --ref and --out are required"],
    ["an unknown form", ["--form", "ghes", ...place, "--out", "x"], "--form is 'ghes'"],
    ["an unknown runner", ["--form", "pinned", ...place, "--out", "x", "--runner", "k8s"], "--runner is 'k8s'"],
    ["an unknown flag", ["--frm", "pinned"], "--frm"],
  ])("says what is wrong with %s, and how to use it", (_, args, message) => {
    const { status, stderr } = render(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("usage:");
  });
});
