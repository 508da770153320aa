import type { Version } from "./version.ts";

/** A command with the arguments that always come first: `docker buildx` is one tool. */
export interface Command {
  readonly command: string;
  readonly prefix: readonly string[];
}

/** A file of a release whose bytes are known beforehand. */
export interface ReleaseFile {
  readonly url: string;
  /** 64 hexadecimal digits of the downloaded file. */
  readonly sha256: string;
  /** Path of the program inside the tar archive, or undefined when the file is the program itself. */
  readonly inArchive?: string;
}

/** One version of a tool that may be downloaded when the runner lacks it. */
export interface Release {
  readonly version: Version;
  /** By `process.platform` and `process.arch`, such as `linux-x64`. */
  readonly files: Readonly<Record<string, ReleaseFile>>;
}

/** A program that the actions call, and how it is had. */
export interface Tool {
  readonly name: string;
  /** Where to look for it, in this order. */
  readonly commands: readonly Command[];
  /** Arguments that make it print its version, without asking any server. */
  readonly versionArguments: readonly string[];
  /** The oldest version that has what the actions use. */
  readonly minimum: Version;
  /** What in the minimum version is needed. */
  readonly minimumReason: string;
  /** How to get it on a runner; a sentence's end. */
  readonly installHint: string;
  readonly release?: Release;
}

/** A tool that is there and new enough. */
export interface FoundTool extends Command {
  readonly name: string;
  readonly version: Version;
  /** Where it came from. */
  readonly source: "runner" | "download";
}
