import { expect, test } from "vitest";
import { labHome } from "../../src/state/home.ts";

test("labs of different names share no folder, socket or cgroup", () => {
  const [one, two] = [labHome("one"), labHome("two")];
  for (const key of ["id", "state", "sockets", "logs", "cgroup"] as const) expect(one[key]).not.toBe(two[key]);
});

test("a socket's path stays below the 108 bytes that a unix socket may have", () => {
  expect(`${labHome("a".repeat(32)).sockets}/buildkitd.sock`.length).toBeLessThan(60);
});

test.each(["", "../x", "A", "-a", "a-", "a b", "a".repeat(33)])("%j is no name for a lab", (name) => {
  expect(() => labHome(name)).toThrow(expect.objectContaining({ code: "LAB_NAME_INVALID" }));
});
