import type { ActionContext } from "../action-runtime/action.ts";
import { ActionError } from "../action-runtime/error.ts";
import { run } from "../child-process/run.ts";
import { downloadRelease } from "./download.ts";
import type { Command, FoundTool, Tool } from "./tool.ts";
import { findVersion, formatVersion, isOlder, type Version } from "./version.ts";

/**
 * A tool of the runner, or, where the runner lacks it and a release with a known SHA-256 exists, a downloaded one.
 *
 * @throws ActionError `TOOL_MISSING`, `TOOL_TOO_OLD`, `TOOL_CHECKSUM_MISMATCH`
 */
export async function findTool(
  tool: Tool,
  context: Pick<ActionContext, "log" | "signal" | "environment">,
): Promise<FoundTool> {
  for (const command of tool.commands) {
    const version = await versionOf(tool, command, context.signal);
    if (version === undefined) continue;
    if (isOlder(version, tool.minimum)) throw tooOld(tool, version);
    return { name: tool.name, ...command, version, source: "runner" };
  }
  const platform = `${process.platform}-${process.arch}`;
  const file = tool.release?.files[platform];
  const { RUNNER_TEMP, RUNNER_TOOL_CACHE } = context.environment;
  if (!tool.release || !file || !RUNNER_TEMP || !RUNNER_TOOL_CACHE) throw missing(tool);
  const path = await downloadRelease(tool, tool.release, file, context);
  return { name: tool.name, command: path, prefix: [], version: tool.release.version, source: "download" };
}

/** The version that a command prints; undefined where there is no such command or it is something else. */
async function versionOf(tool: Tool, command: Command, signal: AbortSignal): Promise<Version | undefined> {
  try {
    const result = await run(command.command, [...command.prefix, ...tool.versionArguments], {
      signal,
      timeoutMilliseconds: 20_000,
    });
    return result.exitCode === 0 ? findVersion(`${result.stdout}\n${result.stderr}`) : undefined;
  } catch (error) {
    if (error instanceof ActionError && error.code === "TOOL_MISSING") return undefined;
    throw error;
  }
}

function tooOld(tool: Tool, version: Version): ActionError {
  return new ActionError("TOOL_TOO_OLD", {
    message: `${tool.name} ${formatVersion(version)} on this runner is older than ${formatVersion(tool.minimum)}, which is needed for ${tool.minimumReason}`,
    remedy: tool.installHint,
    blame: "inconclusive",
  });
}

function missing(tool: Tool): ActionError {
  const tried = tool.commands.map(({ command, prefix }) => [command, ...prefix].join(" ")).join(", ");
  return new ActionError("TOOL_MISSING", {
    message: `${tool.name} is not on this runner (looked for: ${tried})`,
    remedy: tool.installHint,
    blame: "inconclusive",
  });
}
