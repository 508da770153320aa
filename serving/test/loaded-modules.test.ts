import { expect, test } from "vitest";
import { addressOf, runModule } from "./module-process.ts";

test("the server loads nothing of Node's client for fetch and WebSocket, which would take a tenth of its memory", () => {
  const { stdout, stderr } = runModule(
    `await import(${addressOf("lifecycle/serve.ts")}); console.log(process.moduleLoadList.join("\\n"))`,
  );
  const loaded = stdout.split("\n");
  expect(loaded, stderr).toContain("NativeModule net");
  expect(loaded.filter((name) => name.includes("undici"))).toEqual([]);
});
