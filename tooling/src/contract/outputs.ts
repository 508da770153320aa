import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildFolder } from "../build/compile.ts";
import { ToolFailure, tool } from "../repository/tool.ts";
import type { ActionFile } from "./action-file.ts";
import { actionModule } from "./load.ts";

/** Outputs that `runAction` sets for every action. */
export const outputsOfEveryAction = ["verdict", "reason", "remedy", "code"] as const;

/** Picks the names of the outputs out of the type of an action's module. Outputs of any name are no contract. */
const helpers = `type OutputsOf<Module> = {
  [K in keyof Module]: Module[K] extends { readonly run: (...given: never) => Promise<{ readonly outputs: infer O }> } ? O : never;
}[keyof Module];
type Names<O> = O extends unknown ? (string extends keyof O ? "outputs of any name" : keyof O & string) : never;
type Contract<Module> = { readonly [K in Names<OutputsOf<Module>>]: true } & { readonly ""?: never };
`;

/**
 * TypeScript that compiles exactly when every `action.yml` declares the outputs that the type of its action names, no more
 * and no fewer: the type is what the compiler holds the action's code to.
 *
 * @param contracts the outputs that each action declares, without those of every action.
 * @param top the top of the repository, seen from the file.
 */
export function outputsAssertion(contracts: ReadonlyMap<string, readonly string[]>, top: string): string {
  const parts = [...contracts].map(([action, names], index) => {
    const members = names.map((name) => `  ${JSON.stringify(name)}: true,\n`).join("");
    const module = JSON.stringify(`${top}/${actionModule(action)}`);
    return `// ${action}\nimport type * as module${index} from ${module};\nexport const contract${index}: Contract<typeof module${index}> = {\n${members}};\n`;
  });
  return `${helpers}\n${parts.join("\n")}`;
}

/** Where an `action.yml` and the outputs that its action's type names disagree, one sentence each. */
export async function compareOutputs(contracts: ReadonlyMap<string, ActionFile>): Promise<string[]> {
  const problems: string[] = [];
  const own = new Map<string, readonly string[]>();
  for (const [action, { outputs }] of contracts) {
    const names = Object.keys(outputs);
    for (const name of outputsOfEveryAction)
      if (!names.includes(name))
        problems.push(`${action}: action.yml lacks the output '${name}', which every action has`);
    own.set(
      action,
      names.filter((name) => !outputsOfEveryAction.some((every) => every === name)),
    );
  }
  await mkdir(buildFolder, { recursive: true });
  const folder = await mkdtemp(join(buildFolder, "contract-"));
  await writeFile(join(folder, "outputs.ts"), outputsAssertion(own, "../.."));
  const project = {
    extends: "../../tsconfig.json",
    compilerOptions: { noEmit: true, skipLibCheck: true },
    include: ["outputs.ts"],
    exclude: [],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(project));
  try {
    await tool("tsc", ["-p", join(folder, "tsconfig.json"), "--pretty", "false"]);
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    problems.push(...explainMessages(error.message, [...own.keys()]));
  } finally {
    await rm(folder, { recursive: true });
  }
  return problems;
}

/** The compiler's messages about the generated file in the words of the contract. Other files are another check's matter. */
export function explainMessages(messages: string, actions: readonly string[]): string[] {
  return messages
    .split(/\n(?! )/)
    .filter((message) => /^\.build\/contract-\w+\/outputs\.ts\(.*error TS/.test(message))
    .map((message) => {
      const line = message.replace(/\n\s+/g, " ");
      const missing =
        /Property '(.+?)' is missing in type/.exec(line) ?? /missing the following properties.*: ([^:]+)$/.exec(line);
      const module = /Contract<typeof import\("[^"]*\/actions\/([^/"]+)\//.exec(line)?.[1];
      const action = module && actions.includes(module) ? module : undefined;
      const extra = /Object literal may only specify known properties, and '"?(.+?)"?' does not exist/.exec(line);
      const where = action ? `${action}: ` : "";
      if (missing) return `${where}the action sets '${missing[1]}', which action.yml does not declare`;
      if (extra)
        return `${where}action.yml declares '${extra[1]?.replaceAll("'", "")}', which the action's outputs do not name`;
      return line;
    });
}
