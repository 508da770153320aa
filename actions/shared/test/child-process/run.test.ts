import { describe, expect, it } from "vitest";
import { run, toolEnvironment } from "../../src/child-process/run.ts";

const node = process.execPath;

describe("run", () => {
  it("gives exit code, streams and lines", async () => {
    const seen: string[] = [];
    const script = "console.log('out'); console.error('err'); process.exit(3)";
    const result = await run(node, ["-e", script], { onLine: (line, stream) => seen.push(`${stream}:${line}`) });
    expect(result).toEqual({ exitCode: 3, stdout: "out", stderr: "err" });
    expect(seen.sort()).toEqual(["stderr:err", "stdout:out"]);
  });

  it("passes arguments as they are, without a shell", async () => {
    const { stdout } = await run(node, ["-e", "console.log(process.argv[1])", '$(id); `id` && "x"']);
    expect(stdout).toBe('$(id); `id` && "x"');
  });

  it("ends the child and its children when it is aborted, and rejects with the reason", async () => {
    const controller = new AbortController();
    const grandchild = "process.on('SIGINT',()=>{});setInterval(()=>{},1000)";
    const script = `const c=require('child_process').spawn(process.execPath,['-e',${JSON.stringify(grandchild)}]);
      process.on('SIGINT',()=>{}); console.log(c.pid); setInterval(()=>{},1000)`;
    let pid = 0;
    const running = run(node, ["-e", script], {
      signal: controller.signal,
      graceMilliseconds: 200,
      onLine: (line) => {
        pid = Number(line);
        controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it("stops what runs past its time and says so", async () => {
    const running = run(node, ["-e", "setInterval(()=>{},1000)"], { timeoutMilliseconds: 150 });
    await expect(running).rejects.toMatchObject({ code: "TIMEOUT", blame: "inconclusive" });
  });

  it("names a tool that is not there", async () => {
    await expect(run("no-such-tool", [])).rejects.toMatchObject({ code: "TOOL_MISSING", message: /no-such-tool/ });
  });

  it("keeps the last lines of a long output", async () => {
    const script = "for(let i=0;i<1000;i++)console.log('line '+i)";
    const { stdout } = await run(node, ["-e", script], { keep: 100 });
    expect(stdout.length).toBeLessThanOrEqual(101);
    expect(stdout).toMatch(/line 999$/);
  });
});

describe("toolEnvironment", () => {
  it("hides the action's inputs and the runner's tokens from tools", () => {
    process.env.INPUT_TOKEN = "secret";
    process.env.ACTIONS_RUNTIME_TOKEN = "secret";
    expect(Object.values(toolEnvironment({ KEPT: "yes" }))).not.toContain("secret");
    expect(toolEnvironment({ KEPT: "yes", GONE: undefined })).toMatchObject({ KEPT: "yes" });
    delete process.env.INPUT_TOKEN;
    delete process.env.ACTIONS_RUNTIME_TOKEN;
  });
});

/** A zombie, which only its parent can take away, no longer runs. */
async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import("node:fs/promises");
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/^\d+ \(.*\) Z/.test(status);
}
