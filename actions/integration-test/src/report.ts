import { heading, table } from "../../shared/src/report/markdown.ts";
import { type Check, suites } from "./check.ts";
import { type LoadFigures, percent } from "./objectives.ts";
import type { LoadSettings } from "./settings.ts";

/** All checks at a glance, those that did not pass one by one, and the figures of the load. */
export function reportTests(
  checks: readonly Check[],
  load: { readonly figures: LoadFigures; readonly settings: LoadSettings } | undefined,
): string {
  const rows = suites.map((suite) => {
    const of = checks.filter((check) => check.suite === suite);
    const count = (verdict: Check["verdict"]) => String(of.filter((check) => check.verdict === verdict).length);
    return of.length === 0 ? [suite, "not run", "", ""] : [suite, count("pass"), count("fail"), count("inconclusive")];
  });
  const troubled = checks.filter(({ verdict }) => verdict !== "pass");
  const shown = troubled.slice(0, 50).map(({ suite, name, verdict, message }) => [suite, name, verdict, message]);
  const more = troubled.length > 50 ? [["", `and ${troubled.length - 50} more`, "", ""]] : [];
  return [
    table(["tests", "passed", "failed", "inconclusive"], rows),
    troubled.length > 0 ? table(["test", "name", "verdict", "why"], [...shown, ...more]) : "",
    load ? reportLoad(load.figures, load.settings) : "",
  ].join("");
}

function reportLoad(figures: LoadFigures, { rate, durationMilliseconds, p99, errors }: LoadSettings): string {
  const limit = p99 === undefined ? "" : ` (limit ${p99} ms)`;
  return (
    heading(4, `Load: ${rate} requests a second for ${durationMilliseconds / 1_000} s`) +
    table(
      ["requests", "failed", "p50", "p90", "p99", "slowest"],
      [
        [
          String(figures.requests),
          `${percent(figures.errorRate)} (limit ${percent(errors)})`,
          milliseconds(figures.p50),
          milliseconds(figures.p90),
          `${milliseconds(figures.p99)}${limit}`,
          milliseconds(figures.max),
        ],
      ],
    )
  );
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "none" : `${value.toFixed(1)} ms`;
}

/** One sentence over all checks: what failed first, or what passed. */
export function summarise(
  checks: readonly Check[],
  figures: LoadFigures | undefined,
): { reason: string; remedy?: string } {
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  const unclear = checks.filter(({ verdict }) => verdict === "inconclusive");
  const [first] = failed.length > 0 ? failed : unclear;
  if (first) {
    const of = failed.length > 0 ? failed : unclear;
    const others = of.length > 1 ? ` (and ${of.length - 1} more)` : "";
    const what = first.suite === "golden cases" ? `golden case '${first.name}'` : `${first.suite}: ${first.name}`;
    return { reason: `${what}: ${first.message}${others}`, remedy: first.remedy ?? remedies[first.suite] };
  }
  const golden = checks.filter(({ suite }) => suite === "golden cases").length;
  const parts = [
    ...(golden > 0 ? [`${golden} of ${golden} golden cases agree`] : [`${checks.length} checks passed`]),
    ...(figures
      ? [`p99 ${milliseconds(figures.p99)} over ${figures.requests} requests, ${percent(figures.errorRate)} failed`]
      : []),
  ];
  return { reason: parts.join(", ") };
}

const remedies: Readonly<Record<Check["suite"], string>> = {
  readiness: "see the server's log; raise `timeout` if the model takes long to load, then re-run",
  conformance: "correct the server, or set `protocol: http` for one that speaks another protocol",
  "golden cases":
    "compare the exported model with the one that was trained; widen rtol and atol only for a difference you can explain",
  load: "give the model more replicas or CPU, make it faster, or correct the objective",
};
