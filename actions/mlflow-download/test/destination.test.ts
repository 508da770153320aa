import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { resolveDestination } from "../src/destination.ts";

let workspace: string;
beforeEach(() => {
  workspace = realpathSync(mkdtempSync(join(tmpdir(), "workspace-")));
});

describe("the destination", () => {
  it("is a folder below the workspace, there or not, however it is written", async () => {
    mkdirSync(join(workspace, "models"));
    const folder = join(workspace, "models/digits");
    for (const given of ["models/digits", "./models/../models/digits/", folder])
      expect(await resolveDestination(workspace, given)).toEqual({ folder, path: "models/digits" });
  });

  it("is found in a workspace that is named through a symbolic link", async () => {
    const link = join(mkdtempSync(join(tmpdir(), "link-")), "workspace");
    symlinkSync(workspace, link);
    expect(await resolveDestination(link, "model")).toEqual({ folder: join(workspace, "model"), path: "model" });
  });

  it.each([".", "", "a/..", "..", "../other", "/etc/model", ".git/hooks", "sub/.git"])("is not %j", async (given) => {
    await expect(resolveDestination(workspace, given)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
  });

  it("is not behind a symbolic link, not a checkout, and not a file", async () => {
    symlinkSync("/tmp", join(workspace, "link"));
    mkdirSync(join(workspace, "nested/.git"), { recursive: true });
    writeFileSync(join(workspace, "file"), "");
    const reasons = {
      link: "symbolic link",
      "link/model": "symbolic link",
      nested: "checkout",
      file: "is a file",
      "file/model": "is a file",
    };
    for (const [given, reason] of Object.entries(reasons))
      await expect(resolveDestination(workspace, given)).rejects.toMatchObject({
        code: "PATH_UNSAFE",
        message: expect.stringContaining(reason),
      });
  });
});
