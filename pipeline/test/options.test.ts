import { describe, expect, it } from "vitest";
import { readOptions } from "../src/options.ts";

const digest = `sha256:${"0".repeat(64)}`;

describe("readOptions", () => {
  it("takes a push to main when nothing is said", () => {
    expect(readOptions([])).toMatchObject({ operation: "push", breakage: undefined, lab: "default", verbose: false });
  });

  it.each([
    [["--event", "pull_request"], { operation: "pull_request" }],
    [["--break", "model"], { operation: "push", breakage: "model" }],
    [["promote", "--digest", digest], { operation: "promote", digest }],
    [["rollback", "--lab", "other"], { operation: "rollback", lab: "other" }],
  ])("reads %j", (args, expected) => {
    expect(readOptions(args)).toMatchObject(expected);
  });

  it.each([
    [["--break", "everything"], /--break is 'everything'; expected model, image, dependency/],
    [["--event", "release"], /expected push, pull_request/],
    [["deploy"], /the command is 'deploy'; expected promote, rollback/],
    [["promote", "--break", "model"], /promote takes neither/],
    [["rollback", "--digest", "x"], /--digest goes with promote/],
    [["promote", "--digest", "sha256:12"], /--digest is 'sha256:12'; expected sha256: and 64/],
    [["--brake", "model"], /brake/],
    [["promote", "now"], /'now' is one argument too many/],
  ])("refuses %j", (args, message) => {
    expect(() => readOptions(args)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringMatching(message) }),
    );
  });
});
