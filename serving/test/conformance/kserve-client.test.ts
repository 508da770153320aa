// needs: kserve
import { expect, test } from "vitest";
import { temporaryFolder } from "../server-process.ts";
import { repositoryFiles } from "./models.ts";
import { runPythonTests } from "./python.ts";
import { serve } from "./subject.ts";

test.each(["OverRest", "OverGrpc"])(
  "KServe's client works unmodified (%s)",
  async (suite) => {
    const subject = await serve(temporaryFolder(repositoryFiles()));
    const { code, output } = await runPythonTests("kserve", "test_kserve_client.py", subject, suite);
    expect(code, output).toBe(0);
  },
  // Most of it is the import of the package.
  120_000,
);
