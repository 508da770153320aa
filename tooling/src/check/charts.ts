import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { buildFolder } from "../build/compile.ts";
import { dashboardQueries, ruleGroups } from "../chart/queries.ts";
import { chart, listCases, objectsIn, pipelineValues, render } from "../chart/render.ts";
import { kindSchemas } from "../chart/schemas.ts";
import type { Schema } from "../chart/strict-schema.ts";
import { readValues } from "../chart/values.ts";
import { compareSchema, findUndocumented } from "../chart/values-schema.ts";
import { inRepository } from "../repository/repository.ts";
import { ToolFailure, tool } from "../repository/tool.ts";
import type { Check, CheckContext } from "./check.ts";
import { readText } from "./sources.ts";
import { goProgram, helmProgram } from "./tools.ts";

/** The two major versions of Helm that people have. */
async function bothHelms({ progress }: CheckContext): Promise<readonly [string, string]> {
  return [await goProgram("helm3", progress), await helmProgram(progress)];
}

/** Runs a tool; what it has to say is a problem of the named file. */
async function complaints(name: string, work: () => Promise<unknown>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    return [`${name}: ${error.message}`];
  }
}

/** Gives a folder of this clone to `use`, and takes it away again. */
async function inFolder<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(buildFolder, { recursive: true });
  const folder = await mkdtemp(join(buildFolder, `${name}-`));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const values: Check = {
  name: "chart values and schema in step",
  run: async () => {
    const known = readValues(await readText(`${chart}/values.yaml`));
    const schema = JSON.parse(await readText(`${chart}/values.schema.json`)) as Schema;
    return [...compareSchema(known, schema), ...findUndocumented(known)];
  },
};

const lint: Check = {
  name: "helm lint",
  run: async (context) => {
    const problems: string[] = [];
    for (const helm of await bothHelms(context)) {
      const flags = ["lint", "--strict", "--quiet", chart];
      problems.push(...(await complaints("defaults", () => tool(helm, flags, context.signal))));
      for (const file of listCases())
        problems.push(
          ...(await complaints(file, () =>
            tool(helm, [...flags, ...pipelineValues, "--values", file], context.signal),
          )),
        );
    }
    return problems;
  },
};

const conformance: Check = {
  name: "chart against Kubernetes' schemas",
  run: async (context) => {
    const { progress, signal } = context;
    const [helm3, helm4] = await bothHelms(context);
    const kubeconform = await goProgram("kubeconform", progress);
    const { location } = await kindSchemas(progress);
    return inFolder("chart", async (folder) => {
      const problems: string[] = [];
      for (const [index, values] of listCases().entries()) {
        const manifests = await render(helm4, values, signal);
        if (manifests !== (await render(helm3, values, signal)))
          problems.push(`${values}: Helm 3 and Helm 4 make different manifests of it`);
        const file = join(folder, `${index}.yaml`);
        await writeFile(file, manifests);
        const judge = () => tool(kubeconform, ["-strict", "-schema-location", location, file], signal);
        problems.push(...(await complaints(values, judge)));
      }
      return problems;
    });
  },
};

const unit: Check = {
  name: "helm-unittest",
  run: async ({ progress, signal }) => {
    const program = await goProgram("helm-unittest", progress);
    return complaints(chart, () => tool(program, ["--strict", "--file", "tests/*_test.yaml", chart], signal));
  },
};

const rules: Check = {
  name: "chart's alerts and dashboard",
  run: async ({ progress, signal }) => {
    const promtool = await goProgram("promtool", progress);
    const manifests = await render(await helmProgram(progress), "charts/test/values/everything.yaml", signal);
    return inFolder("rules", async (folder) => {
      const check = async (name: string, groups: readonly unknown[]) => {
        await writeFile(join(folder, name), stringify({ groups }));
        return complaints(name, () => tool(promtool, ["check", "rules", "--lint-fatal", join(folder, name)], signal));
      };
      const alerts = ruleGroups(objectsIn(manifests));
      const problems = [
        ...(await check("rules.yaml", alerts)),
        ...(await check("dashboard.yaml", [dashboardQueries()])),
      ];
      // promtool looks for the rules beside the tests.
      const tests = join(folder, "alerts.yaml");
      await writeFile(tests, await readFile(inRepository("charts/test/alerts.yaml")));
      return [
        ...problems,
        ...(await complaints("charts/test/alerts.yaml", () => tool(promtool, ["test", "rules", tests], signal))),
      ];
    });
  },
};

/** The chart can be installed as it is meant, by either Helm, and its alerts ring when they should. */
export const chartChecks: readonly Check[] = [values, lint, unit, conformance, rules];
