import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { chart } from "../../tooling/src/chart/render.ts";
import { root } from "../../tooling/src/repository/repository.ts";

/** How one of the chart's scripts ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of the chart with these variables and no others. */
export function runScript(name: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((done) => {
    execFile(process.execPath, [join(root, chart, "files", name)], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      done({ code, stdout, stderr });
    });
  });
}

/** A server on a free port of this machine until the test ends; its address. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
