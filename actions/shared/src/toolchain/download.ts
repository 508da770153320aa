import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir, cacheFile, downloadTool, extractTar, find } from "@actions/tool-cache";
import type { ActionContext } from "../action-runtime/action.ts";
import { ActionError } from "../action-runtime/error.ts";
import { digestOfFile } from "../oci/digest.ts";
import type { Release, ReleaseFile, Tool } from "./tool.ts";
import { formatVersion } from "./version.ts";

/**
 * The program of a pinned release, from the runner's tool cache or the network. Its SHA-256 is checked before it is
 * unpacked or made executable.
 *
 * @throws ActionError `TOOL_CHECKSUM_MISMATCH`, `TOOL_MISSING`
 */
export async function downloadRelease(
  tool: Tool,
  release: Release,
  file: ReleaseFile,
  { log, signal }: Pick<ActionContext, "log" | "signal">,
): Promise<string> {
  const version = formatVersion(release.version);
  const cached = find(tool.name, version);
  if (cached) return join(cached, file.inArchive ?? tool.name);
  log.line(`${tool.name} is not on this runner: downloading ${version} from ${new URL(file.url).host}`);
  const downloaded = await untilAborted(downloadTool(file.url), signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw notDownloaded(tool, file, cause);
  });
  const digest = await digestOfFile(downloaded);
  if (digest !== `sha256:${file.sha256}`) {
    await rm(downloaded, { force: true });
    throw new ActionError("TOOL_CHECKSUM_MISMATCH", {
      message: `${file.url} has the digest ${digest}, not the pinned sha256:${file.sha256}; it was deleted and not run`,
      remedy: `a proxy or the server returned other bytes than were released; ${tool.installHint}`,
    });
  }
  if (file.inArchive === undefined) {
    await chmod(downloaded, 0o755);
    return join(await cacheFile(downloaded, tool.name, tool.name, version), tool.name);
  }
  const folder = await cacheDir(await extractTar(downloaded), tool.name, version);
  return join(folder, file.inArchive);
}

/** The download itself cannot be interrupted; the action need not wait for it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => undefined);
  }
}

function notDownloaded(tool: Tool, file: ReleaseFile, cause: unknown): ActionError {
  return new ActionError("TOOL_MISSING", {
    message: `${tool.name} is not on this runner, and ${file.url} could not be downloaded: ${(cause as Error).message}`,
    remedy: tool.installHint,
    blame: "inconclusive",
    cause,
  });
}
