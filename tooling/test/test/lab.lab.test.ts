import { execFileSync } from "node:child_process";
import { expect, inject, test } from "vitest";

test("a lab test is given the addresses of a lab that answers", async () => {
  const { addresses } = inject("lab");
  expect((await fetch(`http://${addresses.registry}/v2/`)).status).toBe(200);
  expect((await fetch(`${addresses.mlflow}/health`)).status).toBe(200);
});

test("the lab's variables are those of the test's own process", () => {
  const { PATH = "", ...others } = inject("lab").environment as Readonly<Record<string, string>>;
  expect(process.env).toMatchObject(others);
  // Tools that tests name stand before it.
  expect(process.env.PATH).toMatch(/^\//);
  expect(process.env.PATH?.endsWith(PATH)).toBe(true);
});

test("the lab's tools are on PATH, and its cluster is the current one", () => {
  const nodes = execFileSync("kubectl", ["get", "nodes", "--output=name"], { encoding: "utf8" });
  expect(nodes).toMatch(/^node\//);
});
