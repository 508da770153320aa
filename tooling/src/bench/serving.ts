import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cancelOnSignals } from "../../../lab/src/progress/cancellation.ts";
import { isCancelled } from "../../../lab/src/progress/error.ts";
import { Progress } from "../../../lab/src/progress/progress.ts";
import { runChild } from "../../../lab/src/progress/run-child.ts";
import { fill, isFilled, slotFolder } from "../../../lab/src/toolchain/cache.ts";
import { buildGo, goRecipe } from "../../../lab/src/toolchain/go.ts";
import { type GoTool, TOOLS } from "../../../lab/src/toolchain/manifest.ts";
import { ensureToolchain } from "../../../lab/src/toolchain/toolchain.ts";
import { inRepository, root } from "../repository/repository.ts";
import { explainFailure } from "../repository/tool.ts";
import type { BenchReport, BenchRequest, Suite } from "./suite.ts";

/** The load generator, pinned by Go's checksums. */
const load: GoTool = {
  kind: "go",
  version: "1",
  folder: "../../serving/bench/load",
  packages: { load: "." },
  minutes: 1,
};

const peers = ["fastapi", "mlserver", "kserve"] as const;

/** The path of the load generator, built once for every clone on the machine. */
export async function loadProgram(progress: Progress): Promise<string> {
  const slot = { shelf: "tools/bench-load", key: `${load.version}-${goRecipe(load)}` };
  if (!isFilled(slot))
    await progress.step("load generator", (step) => fill(slot, step, (folder) => buildGo(load, folder, step)));
  return join(slotFolder(slot), "bin", "load");
}

/** A peer's Python, or why it is not there: a peer that cannot be installed is absent, not beaten. */
async function peerTool(name: (typeof peers)[number], progress: Progress) {
  try {
    return { python: (await ensureToolchain([name], progress)).python(name), version: TOOLS[name].version };
  } catch (error) {
    if (isCancelled(error)) throw error;
    return { absent: explainFailure(error) };
  }
}

async function tools(progress: Progress): Promise<object> {
  const found: Record<string, object> = {};
  for (const name of peers) found[name] = await peerTool(name, progress);
  const models = await ensureToolchain(["bench-models"], progress);
  return { load: await loadProgram(progress), modelsPython: models.python("bench-models"), peers: found };
}

async function run({ runs, more }: BenchRequest): Promise<BenchReport> {
  const signal = cancelOnSignals();
  const folder = await mkdtemp(join(tmpdir(), "bench-tools-"));
  try {
    const progress = new Progress({ logs: join(folder, "logs"), signal });
    const file = join(folder, "tools.json");
    await writeFile(file, JSON.stringify(await tools(progress)));
    const flags = [...more, ...(runs === undefined ? [] : ["--runs", String(runs)])];
    const program = inRepository("serving", "bench", "main.ts");
    const { code, stdout } = await runChild(process.execPath, [program, "--tools", file, ...flags], {
      cwd: root,
      signal,
      onLine: (line, stream) => stream === "stderr" && console.error(line),
    });
    if (code !== 0) throw new Error("the measurement did not come to its end; see above");
    return JSON.parse(stdout) as BenchReport;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The inference server against its peers and its limits. */
export const servingSuite: Suite = {
  about: "the inference server against MLServer, FastAPI, KServe and the limits of Node and ONNX Runtime",
  flags: {
    only: { type: "string", help: "names of scenarios, with commas: tiny-rest,image (serving/bench/README.md)" },
    quick: { type: "boolean", help: "one short round: a smoke test, no verdict to rely on" },
    image: { type: "string", help: "an assembled image folder to measure instead of this checkout's" },
  },
  run,
};
