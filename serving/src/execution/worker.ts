/** A thread with one session of a model. Started by `worker-pool.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { RunError } from "../runtime/run-error.ts";
import { runtimeMessage, Session } from "../runtime/session.ts";
import { measure } from "./measure.ts";
import type { WorkerReady, WorkerResult, WorkerRun, WorkerStart } from "./messages.ts";
import { threadMs } from "./thread-time.ts";
import { transferList } from "./transfer.ts";

const port = parentPort;
if (port === null) throw new Error("worker.ts runs as a worker thread only");
const { file, session: options, measure: measuring } = workerData as WorkerStart;

let session: Session | undefined;
try {
  const before = threadMs();
  session = Session.load(file, options);
  const loadMs = threadMs() - before;
  const measurement = measure(session, measuring);
  const { inputs, outputs } = session;
  port.postMessage({ inputs, outputs, measurement, loadMs } satisfies WorkerReady);
} catch (error) {
  port.postMessage({ fault: runtimeMessage(error) } satisfies WorkerReady);
}

port.on("message", (message: WorkerRun | "close") => {
  if (message === "close") {
    session?.dispose();
    session = undefined;
    port.close();
    return;
  }
  try {
    if (session === undefined) throw new Error("the session is closed");
    const outputs = session.run(message.inputs, message.outputs);
    port.postMessage({ outputs } satisfies WorkerResult, transferList(outputs));
  } catch (error) {
    const isRun = error instanceof RunError;
    port.postMessage({ fault: runtimeMessage(error), isRun } satisfies WorkerResult);
  }
});
