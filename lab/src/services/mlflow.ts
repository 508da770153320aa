import { expectInside } from "../doors/dial.ts";
import { type Part, programPart } from "../parts/part.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { ensureMlflowDatabase, MLFLOW_DATABASE } from "./mlflow-database.ts";

/** MLflow's server: runs and registered models in a SQLite file, artifacts in a folder that it serves itself. */
export function mlflowPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const store = ["--backend-store-uri", `sqlite:///${inside(MLFLOW_DATABASE)}`];
  const artifacts = ["--artifacts-destination", inside("mlflow-artifacts")];
  // Each worker is a whole Python with MLflow in it. One serves a lab.
  const server = ["--host", "0.0.0.0", "--port", String(port), "--workers", "1"];
  return programPart(home, {
    name: "mlflow",
    needs: ["doors"],
    address: `http://127.0.0.1:${port}`,
    command: [toolchain.path("mlflow"), "server", ...store, ...artifacts, ...server],
    environment: {
      MLFLOW_DISABLE_TELEMETRY: "true",
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
      PYTHONUNBUFFERED: "1",
    },
    patienceSeconds: 180,
    prepare: (step) => ensureMlflowDatabase(home, toolchain, step),
    ready: () => expectInside(home, { port, path: "/health" }),
  });
}
