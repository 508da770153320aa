// needs: conformance
import { expect, test } from "vitest";
import { temporaryFolder } from "../server-process.ts";
import { PythonProgram } from "./python.ts";
import { serve } from "./subject.ts";

interface Prepared {
  readonly models: number;
  /** How many were left out, by the reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

interface Outcome {
  readonly passed: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** How many of the tests of onnx 1.23.2 ONNX Runtime 1.30.0 passes and the protocol can carry. */
const LEAST_MODELS = 1_400;

test("ONNX's backend test models give what they should through REST JSON, REST binary and gRPC", async () => {
  const repository = temporaryFolder();
  const program = new PythonProgram("conformance", ["onnx_backend.py", repository]);
  const { models, skipped } = await program.read<Prepared>();
  expect(models, JSON.stringify(skipped)).toBeGreaterThan(LEAST_MODELS);

  const { rest, grpc } = await serve(repository, { MAX_JSON_BYTES: String(64 * 1024 * 1024) });
  program.write({ rest, grpc });
  const { passed, failed } = await program.read<Outcome>();
  console.log(`${models} models: ${JSON.stringify(passed)}; left out: ${JSON.stringify(skipped)}`);
  expect(failed).toEqual({});
  expect(passed).toEqual({ json: models, "nested json": models, binary: models, grpc: models });
}, 240_000);
