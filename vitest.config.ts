import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{actions,serving,lab,pipeline,tooling,charts}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "lab/out/**", "lab/.state/**"],
    testTimeout: 20_000,
    maxWorkers: 2,
  },
});
