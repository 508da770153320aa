import { monospace, table } from "../../shared/src/report/markdown.ts";
import type { Plan } from "./plan.ts";

/** The plan for people: which stages run, and which do not and why. */
export function reportPlan(plan: Plan): string {
  const rows = plan.stages.map(({ stage, runs, reason }) => [stage, runs ? "in the descriptor" : `skipped: ${reason}`]);
  const image = table(
    ["image", "required before production"],
    [[monospace(plan.image.repository), plan.promotion.require.split("\n").join(", ")]],
  );
  return table(["stage", ""], rows) + image;
}
