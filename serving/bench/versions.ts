import { createRequire } from "node:module";
import { runToEnd } from "./machine/process.ts";
import type { Tools } from "./options.ts";

const ASK = "import importlib.metadata as m, platform; print(m.version('onnxruntime'), platform.python_version())";

/** The versions of ONNX Runtime that are compared, by server. */
export async function runtimeVersions(tools: Tools, cores: string): Promise<Readonly<Record<string, string>>> {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  const versions: Record<string, string> = { ours: `${version}, Node ${process.versions.node}` };
  for (const [name, peer] of Object.entries(tools.peers)) {
    if ("absent" in peer) continue;
    const answer = await runToEnd({ command: peer.python, args: ["-c", ASK] }, cores);
    const [runtime, python] = answer.trim().split(" ");
    versions[name] = `${runtime}, Python ${python}`;
  }
  return versions;
}
