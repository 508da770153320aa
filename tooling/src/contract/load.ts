import { existsSync, readdirSync } from "node:fs";
import type { InputSchemas } from "../../../actions/shared/src/action-runtime/inputs.ts";
import { inRepository } from "../repository/repository.ts";

/** What the code of an action says about its contract. */
export interface LoadedAction {
  readonly name: string;
  readonly inputs: InputSchemas;
}

/**
 * The module that exports the action of a folder: the one file `src/…-action.ts`.
 *
 * @throws Error when there is none, or more than one.
 */
export function actionModule(action: string): string {
  const folder = `actions/${action}/src`;
  const names = existsSync(inRepository(folder)) ? readdirSync(inRepository(folder)) : [];
  const [module, ...more] = names.filter((name) => name.endsWith("-action.ts"));
  if (!module || more.length > 0)
    throw new Error(
      `expected one file ${folder}/…-action.ts, which exports the action; found ${more.length + (module ? 1 : 0)}`,
    );
  return `${folder}/${module}`;
}

/**
 * Loads an action of this repository without running it.
 *
 * @throws Error when its module is not there, or does not export exactly one action of that name.
 */
export async function loadAction(name: string): Promise<LoadedAction> {
  const file = actionModule(name);
  const exported = Object.values((await import(inRepository(file))) as Record<string, unknown>);
  const [action, ...more] = exported.filter(isAction);
  if (!action || more.length > 0) throw new Error(`${file} exports ${more.length + (action ? 1 : 0)} actions, not one`);
  if (action.name !== name) throw new Error(`${file}: the action's name is '${action.name}', its folder's '${name}'`);
  return action;
}

function isAction(value: unknown): value is LoadedAction {
  if (typeof value !== "object" || value === null) return false;
  const { name, inputs, run } = value as Record<string, unknown>;
  return typeof name === "string" && typeof inputs === "object" && typeof run === "function";
}
