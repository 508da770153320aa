import { expect, it } from "vitest";
import { machinePlaces } from "../../src/check/places.ts";

// Put together here, so that this file names no such place itself.
const home = ["", "home", "ada", "x"].join("/");
const index = `--index-url ${"https:"}//packages.example.com/simple`;

it.each([home, index, `"resolved": "${"https:"}//npm.example.com/x.tgz"`, "see /srv/checkouts/ours/README.md"])(
  "finds the machine in %s",
  (line) => expect(machinePlaces(line, ["/srv/checkouts/ours"])).toHaveLength(1),
);

it.each(["/home/runner/work", "/home/node/app", "docker.example.com/x"])("finds no machine in %s", (line) =>
  expect(machinePlaces(line, ["/srv/checkouts/ours"])).toEqual([]),
);
