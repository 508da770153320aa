import { describe, expect, it } from "vitest";
import { buildArguments, buildError } from "../src/build.ts";
import { imageLabels, tagName } from "../src/naming.ts";

describe("buildArguments", () => {
  const plan = {
    context: ".",
    dockerfile: "Dockerfile",
    platform: "linux/amd64",
    buildArgs: ["A=$(id) b"],
    labels: { "org.opencontainers.image.revision": "abc" },
  };

  it("builds into a folder, and never pushes by itself", () => {
    const args = buildArguments(plan, "/tmp/image");
    expect(args).toContain("--output=type=oci,tar=false,dest=/tmp/image");
    expect(args.filter((arg) => /push|--tag/.test(arg))).toEqual([]);
    expect(args.at(-1)).toBe(".");
  });

  it("keeps each build argument one argument", () => {
    expect(buildArguments(plan, "/tmp/image")).toContain("--build-arg=A=$(id) b");
  });
});

describe("buildError", () => {
  it("gives BuildKit's own sentence, without its prefixes", () => {
    const stderr =
      '#5 ERROR: exit 1\n------\nERROR: failed to build: failed to solve: process "/bin/sh -c false" did not complete';
    expect(buildError(1, stderr)).toMatchObject({
      code: "BUILD_FAILED",
      blame: "fail",
      message: 'the image did not build (exit code 1): process "/bin/sh -c false" did not complete',
    });
  });

  it("blames the infrastructure when no builder answers", () => {
    const stderr =
      "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    expect(buildError(1, stderr)).toMatchObject({ code: "BUILDER_UNAVAILABLE", blame: "inconclusive" });
  });
});

describe("tagName", () => {
  it.each([
    ["main", "main"],
    ["feature/a b", "feature-a-b"],
    ["--..x", "x"],
    ["", undefined],
    ["-", undefined],
  ])("makes of %j the tag %j", (branch, tag) => {
    expect(tagName(branch)).toBe(tag);
  });
});

describe("imageLabels", () => {
  it("says which commit and which model is inside, and leaves out what is not known", () => {
    const environment = {
      GITHUB_SHA: "abc",
      GITHUB_REPOSITORY: "acme/digits",
      GITHUB_SERVER_URL: "https://github.example",
    };
    expect(imageLabels({ model: "digits", "model-version": undefined }, environment)).toEqual({
      "org.opencontainers.image.revision": "abc",
      "org.opencontainers.image.source": "https://github.example/acme/digits",
      "io.mlops-actions.model": "digits",
    });
  });
});
