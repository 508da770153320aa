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

  it("asks for the image alone, without provenance that would make it an index", () => {
    const args = buildArguments(plan, "/tmp/image");
    expect(args).toContain("--provenance=false");
    expect(args).toContain("--sbom=false");
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

  it.each([
    "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    'ERROR: no builder "lab" found',
    "#1 [internal] waiting for connection\nERROR: failed to build: context deadline exceeded",
  ])("blames the infrastructure when no builder answers: %s", (stderr) => {
    expect(buildError(1, stderr)).toMatchObject({ code: "BUILDER_UNAVAILABLE", blame: "inconclusive" });
  });
});

describe("buildError of a base image", () => {
  const said = (what: string) =>
    `ERROR: failed to build: failed to solve: x.io/base:1: failed to resolve source metadata for x.io/base:1: ${what}`;

  it.each([
    'failed to do request: Head "http://127.0.0.1:9/v2/x": dial tcp 127.0.0.1:9: connect: connection refused',
    'failed to do request: Head "https://x.io/v2/base": dial tcp: lookup x.io on 10.0.0.1:53: no such host',
    "unexpected status from HEAD request to https://x.io/v2/base/manifests/1: 429 Too Many Requests",
    "unexpected status from HEAD request to https://x.io/v2/base/manifests/1: 503 Service Unavailable",
  ])("blames the registry that does not answer: %s", (what) => {
    expect(buildError(1, said(what))).toMatchObject({ code: "BASE_IMAGE_UNREACHABLE", blame: "inconclusive" });
  });

  it.each(["x.io/base:1: not found", "unexpected status from HEAD request to https://x.io/v2/base: 403 Forbidden"])(
    "blames the Dockerfile for %s",
    (what) => {
      expect(buildError(1, said(what))).toMatchObject({ code: "BUILD_FAILED", blame: "fail" });
    },
  );
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
