import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locateChart } from "../src/chart.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chart-"));
  for (const path of ["charts/model-server", "workspace/own"]) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "Chart.yaml"), "");
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("locateChart", () => {
  it.each(["dist/helm-deploy/index.js", "actions/helm-deploy/src/main.ts"])(
    "finds the chart that comes with %s",
    async (program) => {
      const { location } = await locateChart("model-server", join(folder, "workspace"), join(folder, program));
      expect(location).toBe(join(folder, "charts/model-server"));
    },
  );

  it("finds a chart of the workspace", async () => {
    expect((await locateChart("own", join(folder, "workspace"), "")).location).toBe(join(folder, "workspace/own"));
  });

  it("speaks plain HTTP only to a registry on the loopback interface", async () => {
    expect(await locateChart("oci://127.0.0.1:5000/charts/x", "", "")).toMatchObject({
      registry: "127.0.0.1:5000",
      plainHttp: true,
    });
    expect(await locateChart("oci://ghcr.io/acme/x", "", "")).toMatchObject({ registry: "ghcr.io", plainHttp: false });
  });

  it("says where there is none", async () => {
    await expect(locateChart("none", join(folder, "workspace"), "")).rejects.toMatchObject({
      code: "CHART_NOT_FOUND",
      message: `the chart 'none' has no Chart.yaml at ${join(folder, "workspace/none")}`,
    });
  });
});
