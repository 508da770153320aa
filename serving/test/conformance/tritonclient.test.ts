// needs: conformance
import { expect, test } from "vitest";
import { temporaryFolder } from "../server-process.ts";
import { repositoryFiles } from "./models.ts";
import { runPythonTests } from "./python.ts";
import { serve } from "./subject.ts";

test.each(["OverHttp", "OverGrpc"])(
  "Triton's client works unmodified (%s)",
  async (suite) => {
    const subject = await serve(temporaryFolder(repositoryFiles()), { MODEL_CONTROL: "explicit" });
    const { code, output } = await runPythonTests("conformance", "test_tritonclient.py", subject, suite);
    expect(code, output).toBe(0);
  },
  60_000,
);
