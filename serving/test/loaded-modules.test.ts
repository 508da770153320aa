import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("the server loads nothing of Node's client for fetch and WebSocket, which would take a tenth of its memory", () => {
  const serve = new URL("../src/lifecycle/serve.ts", import.meta.url).href;
  const program = `await import(${JSON.stringify(serve)}); console.log(process.moduleLoadList.join("\\n"))`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  const loaded = stdout.split("\n");
  expect(loaded, stderr).toContain("NativeModule net");
  expect(loaded.filter((name) => name.includes("undici"))).toEqual([]);
});
