import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Log } from "../../src/action-runtime/log.ts";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { findTool } from "../../src/toolchain/find.ts";
import type { Tool } from "../../src/toolchain/tool.ts";
import { buildx, grype, helm, kubectl } from "../../src/toolchain/tools.ts";
import { findVersion, isOlder } from "../../src/toolchain/version.ts";

const program = "#!/bin/sh\necho frob v2.3.4\n";
const platform = `${process.platform}-${process.arch}`;

let folder: string;
let server: Server;
let url: string;
let asked = 0;
const before = { ...process.env };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "toolchain-"));
  for (const name of ["bin", "temp", "cache"]) mkdirSync(join(folder, name));
  process.env.PATH = join(folder, "bin");
  process.env.RUNNER_TEMP = join(folder, "temp");
  process.env.RUNNER_TOOL_CACHE = join(folder, "cache");
  asked = 0;
  server = createServer((_, response) => {
    asked += 1;
    response.end(program);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/frob`;
});

afterEach(async () => {
  Object.assign(process.env, before);
  rmSync(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

function install(name: string, prints: string): void {
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\necho '${prints}'\n`);
  chmodSync(join(folder, "bin", name), 0o755);
}

const tool = (sha256?: string): Tool => ({
  name: "frob",
  commands: [
    { command: "frob", prefix: [] },
    { command: "frob-alone", prefix: ["run"] },
  ],
  versionArguments: ["version"],
  minimum: [2, 0, 0],
  minimumReason: "frobnicating",
  installHint: "install frob 2",
  ...(sha256 === undefined ? {} : { release: { version: [2, 3, 4], files: { [platform]: { url, sha256 } } } }),
});

const context = () => ({
  log: new Log(new Redactor(() => undefined), () => undefined),
  signal: new AbortController().signal,
  environment: process.env,
});

const sha256 = createHash("sha256").update(program).digest("hex");

describe("findTool", () => {
  it("takes the runner's own before a download", async () => {
    install("frob", "frob version 2.1.0 linux");
    expect(await findTool(tool(sha256), context())).toEqual({
      name: "frob",
      command: "frob",
      prefix: [],
      version: [2, 1, 0],
      source: "runner",
    });
    expect(asked).toBe(0);
  });

  it("looks at every command that the tool goes by", async () => {
    install("frob-alone", "2.0.0");
    expect(await findTool(tool(), context())).toMatchObject({ command: "frob-alone", prefix: ["run"] });
  });

  it("refuses one that is too old, and says what for", async () => {
    install("frob", "v1.9.9");
    await expect(findTool(tool(sha256), context())).rejects.toMatchObject({
      code: "TOOL_TOO_OLD",
      message: "frob 1.9.9 on this runner is older than 2.0.0, which is needed for frobnicating",
    });
  });

  it("downloads a pinned release once, and takes it from the tool cache after that", async () => {
    const found = await findTool(tool(sha256), context());
    expect(found).toMatchObject({
      version: [2, 3, 4],
      source: "download",
      command: join(folder, "cache/frob/2.3.4", process.arch, "frob"),
    });
    expect(await findTool(tool(sha256), context())).toEqual(found);
    expect(asked).toBe(1);
  });

  it("deletes a download with other bytes than were pinned", async () => {
    await expect(findTool(tool("0".repeat(64)), context())).rejects.toMatchObject({ code: "TOOL_CHECKSUM_MISMATCH" });
    await expect(findTool(tool("0".repeat(64)), context())).rejects.toMatchObject({ code: "TOOL_CHECKSUM_MISMATCH" });
  });

  it("says how to install one for which no trustworthy sum is known", async () => {
    await expect(findTool(tool(), context())).rejects.toMatchObject({
      code: "TOOL_MISSING",
      message: "frob is not on this runner (looked for: frob, frob-alone run)",
      remedy: "install frob 2",
    });
  });
});

describe("the pinned releases", () => {
  it("are new enough and have whole sums", () => {
    for (const { release, minimum } of [helm, kubectl, grype]) {
      expect(release && isOlder(release.version, minimum)).toBe(false);
      for (const file of Object.values(release?.files ?? {})) {
        expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(file.url).toContain(`v${release?.version.join(".")}`);
      }
    }
    expect(buildx.release).toBeUndefined();
  });
});

describe("findVersion", () => {
  it.each([
    ["v3.19.5", [3, 19, 5]],
    ["v4.1.4+g05fa379", [4, 1, 4]],
    ["Client Version: v1.34.5\nKustomize Version: v5.7.1", [1, 34, 5]],
    ["github.com/docker/buildx v0.29.1 ", [0, 29, 1]],
    ["Application: grype\nVersion:    0.110.0", [0, 110, 0]],
  ])("reads %j", (text, version) => expect(findVersion(text)).toEqual(version));

  it("finds none in other text", () => expect(findVersion("command not found")).toBeUndefined());

  it("compares numbers, not digits", () => {
    expect(isOlder([1, 9, 0], [1, 10, 0])).toBe(true);
    expect(isOlder([2, 0, 0], [1, 10, 9])).toBe(false);
    expect(isOlder([1, 10, 0], [1, 10, 0])).toBe(false);
  });
});
