import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes a program that answers as a Python with papermill does, in milliseconds: for what the action does around a
 * notebook. The real Python and papermill are in train.lab.test.ts. The notebook's cells are words of its own:
 * `log-model`, `raise`, `sleep`, `die`, `print-login`.
 *
 * `behaviour` is how pip and the packages are: `no-index`, `no-such-version`, `bad-hash`, `no-papermill`.
 */
export function standInPython(folder: string, behaviour = ""): string {
  const path = join(folder, `python-${behaviour || "good"}`);
  writeFileSync(path, `#!${process.execPath}\nconst behaviour = ${JSON.stringify(behaviour)};\n(${program})();\n`);
  chmodSync(path, 0o755);
  return path;
}

const program = `async () => {
  const fs = require("node:fs");
  const args = process.argv.slice(2);
  const say = (line) => process.stderr.write(line + "\\n");
  const end = (code, ...lines) => { lines.forEach(say); process.exitCode = code; };
  if (args[0] === "-c") return console.log(args[1].includes("find_spec") ? (behaviour === "no-papermill" ? "papermill" : "") : "3.12 stand-in");
  if (args[1] === "venv") {
    fs.mkdirSync(args[2] + "/bin", { recursive: true });
    return fs.copyFileSync(__filename, args[2] + "/bin/python");
  }
  if (args[1] === "pip") {
    console.log("pip " + args.slice(2).join(" "));
    if (behaviour === "no-index") return end(1, "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'", "ERROR: No matching distribution found for x");
    if (behaviour === "no-such-version") return end(1, "ERROR: Could not find a version that satisfies the requirement x==9 (from versions: 1)", "ERROR: No matching distribution found for x==9");
    if (behaviour === "bad-hash") return end(1, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.");
    return;
  }
  const [, , input, output] = args;
  const notebook = JSON.parse(fs.readFileSync(input, "utf8"));
  const server = process.env.MLFLOW_TRACKING_URI;
  for (const [index, cell] of notebook.cells.entries()) {
    say("Executing Cell " + (index + 1) + "-------------------");
    const word = [].concat(cell.source).join("").trim();
    cell.outputs = [];
    if (word === "print-login") { say(process.env.MLFLOW_TRACKING_TOKEN); cell.outputs = [{ output_type: "stream", text: process.env.MLFLOW_TRACKING_TOKEN }]; }
    if (word === "print-inputs") say(Object.keys(process.env).filter((name) => name.startsWith("INPUT_")).join(" ") || "no inputs");
    if (word === "log-model") {
      const headers = process.env.MLFLOW_TRACKING_TOKEN ? { authorization: "Bearer " + process.env.MLFLOW_TRACKING_TOKEN } : {};
      const answer = await fetch(server + "/api/2.0/mlflow/runs/get?run_id=" + process.env.MLFLOW_RUN_ID, { headers });
      const uri = (await answer.json()).run.info.artifact_uri.replace("mlflow-artifacts:/", "");
      await fetch(server + "/api/2.0/mlflow-artifacts/artifacts/" + uri + "/model/model.onnx", { method: "PUT", body: "onnx", headers });
    }
    if (word === "sleep") await new Promise((wake) => setTimeout(wake, 60_000));
    if (word === "die") return end(1, "nbclient.exceptions.DeadKernelError: Kernel died");
    if (word === "raise") {
      cell.metadata = { ...cell.metadata, papermill: { exception: true, status: "failed" } };
      cell.outputs = [{ output_type: "error", ename: "ValueError", evalue: "bad data", traceback: ["Traceback", "ValueError: bad data"] }];
      fs.writeFileSync(output, JSON.stringify(notebook));
      return end(1, "papermill.exceptions.PapermillExecutionError:");
    }
    fs.writeFileSync(output, JSON.stringify(notebook));
    say("Ending Cell " + (index + 1) + "-------------------");
  }
}`;
