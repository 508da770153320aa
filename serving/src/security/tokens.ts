import { hash, timingSafeEqual } from "node:crypto";
import { SettingsError } from "../config/error.ts";
import type { Logger } from "../logging/logger.ts";
import { WatchedFiles } from "./watched-files.ts";

/** RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const AUTHORIZATION = /^bearer +([^ ]+) *$/i;

/** The bearer tokens that open the server. Of each only its SHA-256 is kept. */
export class BearerTokens {
  readonly #files: WatchedFiles<readonly Buffer[]>;

  private constructor(files: WatchedFiles<readonly Buffer[]>) {
    this.#files = files;
  }

  /**
   * @param path a file with one token a line; empty lines and those that start with # are skipped
   * @param intervalMs how often the file is looked at
   * @throws SettingsError when it cannot be read, holds no token, or a line is none; tokens are never told
   */
  static async load(path: string, log: Logger, intervalMs?: number): Promise<BearerTokens> {
    const watched = {
      paths: [path],
      subject: "file of tokens",
      parse: ([content = Buffer.alloc(0)]: readonly Buffer[]) => parseTokens(path, content.toString("utf8")),
    };
    return new BearerTokens(await WatchedFiles.open<readonly Buffer[]>(watched, log, intervalMs));
  }

  /**
   * Whether the header `authorization` holds one of the tokens. Takes as long for a token that is nearly right as for any
   * other: digests are compared, each in constant time, and all of them.
   */
  isAuthorized(authorization: string | undefined): boolean {
    const token = AUTHORIZATION.exec(authorization ?? "")?.[1];
    if (token === undefined) return false;
    const digest = digestOf(token);
    let matches = 0;
    for (const known of this.#files.value) matches += Number(timingSafeEqual(digest, known));
    return matches > 0;
  }

  /** Looks at the file now. */
  check(): Promise<void> {
    return this.#files.check();
  }

  close(): void {
    this.#files.close();
  }
}

function parseTokens(path: string, text: string): Buffer[] {
  const digests = text.split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return [];
    if (!TOKEN.test(line)) {
      const expected = "letters, digits and - . _ ~ + / with = at the end";
      throw new SettingsError(`line ${index + 1} of '${path}' is no bearer token: those are made of ${expected}`);
    }
    return [digestOf(line)];
  });
  if (digests.length === 0) throw new SettingsError(`'${path}' holds no token: nobody could use the server`);
  return digests;
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
