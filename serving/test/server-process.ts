import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** A fresh folder that is gone after the test, with these files in it. */
export function temporaryFolder(files: Readonly<Record<string, Buffer | string>> = {}): string {
  const folder = createFolder(files);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function createFolder(files: Readonly<Record<string, Buffer | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "model-server-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** The server as its own process, on a free port. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  stdout = "";
  stderr = "";

  private constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      // Their default ports would be the same for every server that a test starts; a flag still says otherwise.
      env: { PATH: process.env.PATH, GRPC_PORT: "off", METRICS_PORT: "off", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#exited = once(this.child, "close");
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk;
    });
  }

  /** Starts it; it is killed after the test at the latest. */
  static start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ServerProcess {
    const server = new ServerProcess(args, environment);
    onTestFinished(() => server.kill());
    return server;
  }

  /** Starts it on a repository of these files and waits until it is ready. The caller stops it. */
  static async serving(files: Readonly<Record<string, Buffer>>, args: readonly string[] = []): Promise<ServerProcess> {
    const folder = createFolder(files);
    const server = new ServerProcess(
      ["--model-repository", folder, "--host", "127.0.0.1", "--port", "0", "--drain-seconds", "0", ...args],
      {},
    );
    server.child.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    await server.logged("ready");
    return server;
  }

  /** The log so far. */
  get log(): { readonly message: string; readonly [field: string]: unknown }[] {
    const lines = this.stdout.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as { message: string });
  }

  /** Waits for a line of the log with this message. */
  async logged(message: string): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!this.log.some((line) => line.message === message)) {
      if (this.child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`no '${message}' in the log:\n${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  get port(): number {
    return this.log.find((line) => line.message === "listening")?.port as number;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How it ended, once it has. */
  async exit(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    await this.#exited;
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.#exited;
  }
}
