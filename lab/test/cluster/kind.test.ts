import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { kindOf } from "../../src/cluster/kind.ts";
import { Step } from "../../src/progress/step.ts";
import { labHome } from "../../src/state/home.ts";

test("says what is missing when Docker or kind is not on the machine", () => {
  const folder = mkdtempSync(join(tmpdir(), "kind-"));
  vi.stubEnv("PATH", folder);
  const step = new Step("cluster", join(folder, "log"), undefined, () => undefined);
  const error = {
    code: "KIND_MISSING",
    message: expect.stringContaining("docker and kind"),
    remedy: expect.stringContaining("install docker and kind"),
  };
  expect(() => kindOf(labHome("t-kind"), step, {})).toThrow(expect.objectContaining(error));
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
