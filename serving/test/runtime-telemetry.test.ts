import { expect, test } from "vitest";
import { addressOf, runModule } from "./module-process.ts";

test("ONNX Runtime's telemetry is off before any thread can load it: the library sees the main thread's environment only", () => {
  const program = `await import(${addressOf("lifecycle/serve.ts")}); console.log(process.env.ORT_DISABLE_TELEMETRY)`;
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const { stdout, stderr } = runModule(program, env);
  expect(stdout, stderr).toBe("1\n");
});
