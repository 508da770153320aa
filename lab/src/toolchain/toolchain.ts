import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { CANCELLED, LabError } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import type { Step } from "../progress/step.ts";
import { fill, isFilled, linksFolder, recipeHash, type Slot, slotFolder } from "./cache.ts";
import { distribution, findSystemProgram, installPackages, takeDebian } from "./debian.ts";
import { buildGo, goRecipe, removeGoCaches } from "./go.ts";
import { executablesOf, TOOLS, type Tool, type ToolName, toolOf } from "./manifest.ts";
import { unpackNpmTool } from "./npm.ts";
import { checkPrerequisites, missingPackages } from "./prerequisites.ts";
import { makePython, pythonRecipe, requirementsFile } from "./python.ts";

/** Programs that are ready to be used. */
export interface Toolchain {
  /** The folder to put in front of PATH: every program under its own name. */
  readonly bin: string;
  /**
   * The absolute path of a program, for example `kubelet`.
   * @throws LabError NO_SUCH_PROGRAM when none of the tools that were asked for has it.
   */
  path(program: string): string;
  /** The folder that holds a tool's programs and nothing else, for programs that look for their plugins in a folder. */
  folder(tool: ToolName): string;
  /** The Python interpreter of a virtual environment. */
  python(environment: PythonName): string;
}

/** The tools that are virtual environments. */
export type PythonName = { [Name in ToolName]: (typeof TOOLS)[Name]["kind"] extends "python" ? Name : never }[ToolName];

/** Where a tool is kept; system tools are kept by the system. */
function slotOf(name: ToolName, tool: Tool): Slot | undefined {
  const shelf = `tools/${name}`;
  switch (tool.kind) {
    case "go":
      return { shelf, key: `${tool.version}-${goRecipe(tool)}` };
    case "npm":
      return { shelf, key: `${tool.version}-${recipeHash(JSON.stringify(tool))}` };
    case "debian":
      return { shelf, key: `${distribution()}-${recipeHash(JSON.stringify(tool))}` };
    case "python":
      return { shelf, key: `${tool.version}-${pythonRecipe(requirementsFile(tool.requirements))}` };
    case "system":
      return undefined;
  }
}

function isReady(name: ToolName): boolean {
  const tool = toolOf(name);
  const slot = slotOf(name, tool);
  if (!slot) return missingPackages([tool]).length === 0;
  // An environment's interpreter is a link to the Python it was made with, which may be gone since.
  const needed = tool.kind === "python" ? ["python", ...tool.executables] : executablesOf(tool);
  return isFilled(slot) && needed.every((program) => existsSync(join(slotFolder(slot), "bin", program)));
}

async function make(name: ToolName, step: Step): Promise<void> {
  const tool = toolOf(name);
  const slot = slotOf(name, tool);
  if (!slot) return;
  if (isFilled(slot) && !isReady(name)) rmSync(slotFolder(slot), { recursive: true, force: true });
  switch (tool.kind) {
    case "go":
      await fill(slot, step, (folder) => buildGo(tool, folder, step));
      break;
    case "npm":
      await fill(slot, step, (folder) => unpackNpmTool(tool, folder, step));
      break;
    case "debian":
      await fill(slot, step, (folder) => takeDebian(tool, folder, step));
      break;
    case "python":
      await fill(slot, step, (folder) => makePython(folder, requirementsFile(tool.requirements), step), {
        inPlace: true,
      });
      break;
  }
}

function title(name: ToolName): string {
  const tool = toolOf(name);
  if (tool.kind === "npm") return Object.keys(tool.executables).join(" and ");
  return "version" in tool ? `${name} ${tool.version}` : name;
}

/**
 * Makes sure that some tools are there, and makes those that are not: built, downloaded or unpacked once into the project's
 * cache, and shared by every clone on the machine. When everything is there it takes a few milliseconds and says nothing.
 * @throws LabError PREREQUISITES before anything is made; the error of the first tool that could not be made; CANCELLED.
 */
export async function ensureToolchain(names: readonly ToolName[], progress: Progress): Promise<Toolchain> {
  const missing = names.filter((name) => !isReady(name));
  if (missing.length > 0) await setUp(missing, progress);
  return toolchainOf(names);
}

/** Makes tools: those of one kind one after the other, the kinds beside each other. */
async function setUp(missing: readonly ToolName[], progress: Progress): Promise<void> {
  await checkPrerequisites(missing);
  const stop = new AbortController();
  const signal = progress.signal ? AbortSignal.any([progress.signal, stop.signal]) : stop.signal;
  const step = (name: string, work: (step: Step) => Promise<void>) => progress.step(name, work, signal);
  const lane = async (kind: Tool["kind"]) => {
    const tools = (Object.keys(TOOLS) as ToolName[]).filter(
      (name) => missing.includes(name) && toolOf(name).kind === kind,
    );
    for (const name of tools) await step(title(name), (running) => make(name, running));
    if (kind === "go" && tools.length > 0 && !process.env.MLOPS_ACTIONS_KEEP_GO_CACHE)
      await step("Go caches: removing", removeGoCaches);
  };
  const packages = missingPackages(missing.map(toolOf));
  const distributionLane = async () => {
    if (packages.length > 0)
      await step(`Debian packages ${packages.join(", ")}`, (running) => installPackages(packages, running));
    await lane("debian");
  };
  const errors: unknown[] = [];
  const fail = (error: unknown) => {
    errors.push(error);
    stop.abort();
  };
  await Promise.all(
    [lane("go"), lane("npm"), lane("python"), distributionLane()].map((running) => running.catch(fail)),
  );
  // What stopped because of the first failure is not worth a word.
  const first = errors.find((error) => !(error instanceof LabError && error.code === CANCELLED)) ?? errors[0];
  if (first) throw first;
}

function toolchainOf(names: readonly ToolName[]): Toolchain {
  const folders = new Map<ToolName, string>();
  const programs = new Map<string, string>();
  for (const name of names) {
    const tool = toolOf(name);
    const slot = slotOf(name, tool);
    if (slot) folders.set(name, join(slotFolder(slot), "bin"));
    for (const program of executablesOf(tool)) {
      const target = slot ? join(slotFolder(slot), "bin", program) : findSystemProgram(program);
      if (target) programs.set(program, target);
    }
  }
  return {
    bin: linkPrograms(programs),
    path(program) {
      const path = programs.get(program);
      if (path) return path;
      throw new LabError("NO_SUCH_PROGRAM", `${program} is not among the tools that were set up: ${names.join(", ")}`, {
        remedy: "ask ensureToolchain for the tool that brings it",
      });
    },
    folder(tool) {
      const folder = folders.get(tool);
      if (folder) return folder;
      throw new LabError("NO_SUCH_PROGRAM", `${tool} was not set up, or is kept by the system`, {
        remedy: "ask ensureToolchain for it",
      });
    },
    python(environment) {
      return join(this.folder(environment), "python");
    },
  };
}

/** One folder with a link to each program, the same for the same set of programs. */
function linkPrograms(programs: ReadonlyMap<string, string>): string {
  const entries = [...programs].sort(([a], [b]) => a.localeCompare(b));
  const key = createHash("sha256").update(JSON.stringify(entries)).digest("hex").slice(0, 12);
  const folder = join(linksFolder(), key);
  if (existsSync(folder)) return folder;
  const workplace = `${folder}.${process.pid}.partial`;
  rmSync(workplace, { recursive: true, force: true });
  mkdirSync(workplace, { recursive: true });
  for (const [name, target] of entries) symlinkSync(target, join(workplace, name));
  try {
    renameSync(workplace, folder);
  } catch (error) {
    rmSync(workplace, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // another process was faster
  }
  return folder;
}
