import { readFileSync } from "node:fs";
import { inRepository } from "../repository/repository.ts";
import { chart, type KubernetesObject } from "./render.ts";

/** A group of recording rules and alerts, as Prometheus reads it. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly { readonly expr: string; readonly [field: string]: unknown }[];
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** The rules of every PrometheusRule. */
export function ruleGroups(objects: readonly KubernetesObject[]): RuleGroup[] {
  return objects
    .filter(({ kind }) => kind === "PrometheusRule")
    .flatMap(({ spec }) => (spec as { readonly groups: readonly RuleGroup[] }).groups);
}

/** The dashboard's queries as rules, so that Prometheus' own tool can parse them; Grafana's variables are filled in. */
export function dashboardQueries(): RuleGroup {
  const { panels } = JSON.parse(readFileSync(inRepository(chart, "files/dashboard.json"), "utf8")) as Dashboard;
  const filled = (expr: string) => expr.replaceAll("$__rate_interval", "5m").replace(/"\$\w+"/g, '"x"');
  const rules = panels.flatMap(({ targets }, panel) =>
    targets.map(({ expr }, query) => ({ record: `panel:${panel}:query${query}`, expr: filled(expr) })),
  );
  return { name: "dashboard", rules };
}

/** The metrics of the server that some rules ask for, without a histogram's endings. */
export function metricsIn(groups: readonly RuleGroup[]): string[] {
  const names = groups
    .flatMap(({ rules }) => rules)
    .flatMap(({ expr }) => [...expr.matchAll(/\b(?:model_server|process|nodejs)_\w+/g)].map(([name]) => name))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  return [...new Set(names)].sort();
}
