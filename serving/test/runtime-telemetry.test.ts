import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("ONNX Runtime's telemetry is off before any thread can load it: the library sees the main thread's environment only", () => {
  const serve = new URL("../src/lifecycle/serve.ts", import.meta.url).href;
  const program = `await import(${JSON.stringify(serve)}); console.log(process.env.ORT_DISABLE_TELEMETRY)`;
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    env,
  });
  expect(stdout, stderr).toBe("1\n");
});
