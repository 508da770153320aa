import { defineConfig } from "vitest/config";

const places = "{actions,serving,lab,pipeline,tooling,charts}/**";
const outside = ["**/node_modules/**", "lab/out/**", "lab/.state/**"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: [`${places}/*.test.ts`],
          exclude: [...outside, "**/*.lab.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        // Needs the lab that `npm test` opens: its tests read `inject("lab")`. One file at a time, since all share it.
        test: {
          name: "lab",
          include: [`${places}/*.lab.test.ts`],
          exclude: outside,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
