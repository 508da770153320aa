/**
 * The limit of any server on Node whose event loop stays free while a model runs: it takes a body as the model's input, hands
 * it to a thread, and answers with its output's bytes. No HTTP beyond a length, no checks, no metrics.
 *
 * Run as `node runtime-server.ts PORT MODEL NAME TYPE SHAPE`, see `runtime-loop.ts`.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** What is handed over: a body, and later the output. */
type Bytes = Uint8Array<ArrayBuffer>;

if (isMainThread) await serve(Number(process.argv[2]), process.argv.slice(3));
else await compute(workerData as string[]);

async function serve(port: number, model: readonly string[]): Promise<void> {
  // Not in the thread that loads the library, which has a copy of the environment.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  const worker = new Worker(new URL(import.meta.url), { workerData: model });
  await once(worker, "message");
  const waiting: Socket[] = [];
  worker.on("message", (output: Bytes) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${output.length}\r\n\r\n`;
    waiting.shift()?.write(Buffer.concat([Buffer.from(head), output]));
  });
  const server = createServer({ noDelay: true }, (socket) => {
    let request: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      request = request.length === 0 ? chunk : Buffer.concat([request, chunk]);
      const end = request.indexOf("\r\n\r\n") + 4;
      if (end < 4) return;
      const length = Number(/^content-length: *(\d+)/im.exec(request.toString("latin1", 0, end))?.[1] ?? 0);
      if (request.length < end + length) return;
      const body = Uint8Array.from(request.subarray(end, end + length));
      request = Buffer.alloc(0);
      if (length === 0) {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      waiting.push(socket);
      worker.postMessage(body, [body.buffer]);
    });
  });
  server.listen(port, "127.0.0.1");
}

async function compute([model = "", name = "", type = "", shape = ""]: readonly string[]): Promise<void> {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const session = await InferenceSession.create(model, options);
  const dims = shape.split(",").map(Number);
  const [output = ""] = session.outputNames;
  parentPort?.on("message", async ({ buffer }: Bytes) => {
    const data = type === "int32" ? new Int32Array(buffer) : new Float32Array(buffer);
    const results = await session.run({ [name]: new Tensor(type as "int32", data as Int32Array, dims) });
    const value = results[output];
    if (value === undefined) throw new Error(`the model gave no ${output}`);
    const bytes = new Uint8Array((value.data as Float32Array<ArrayBuffer>).buffer);
    parentPort?.postMessage(bytes, [bytes.buffer]);
  });
  parentPort?.postMessage("ready");
}
