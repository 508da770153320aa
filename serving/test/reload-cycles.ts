/**
 * Loads and unloads a model over and over while it is asked all the time, and prints what came of it as JSON: run by
 * `reload-memory.test.ts` in a process of its own, whose memory nothing else uses.
 *
 * node --expose-gc reload-cycles.ts REPOSITORY MODE CYCLES: the model `m` gives element `x` of its weights, each its index.
 */
import type { ExecutionSettings } from "../src/execution/open-model.ts";
import { openModel } from "../src/execution/open-model.ts";
import { ModelCatalog } from "../src/models/catalog.ts";
import type { Model } from "../src/models/model.ts";
import { ProtocolError } from "../src/protocol/error.ts";

export interface CyclesReport {
  readonly answered: number;
  /** Answered wrongly, or failed after they were taken. */
  readonly lost: readonly string[];
  /** Refused because the model was not in service. */
  readonly refused: number;
  /** Resident bytes after the tenth cycle and after the last. */
  readonly before: number;
  readonly after: number;
}

const SETTLED_AFTER = 10;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const [repository = "", mode, cycles] = process.argv.slice(2);
const settings: ExecutionSettings = {
  mode: mode as ExecutionSettings["mode"],
  workers: 1,
  cpus: 2,
  intraOpThreads: 1,
  batching: "off",
  maxBatchSize: 1,
  queueLimit: 100,
};
const catalog = await ModelCatalog.create({
  repository,
  settings,
  open: openModel,
  executions: () => () => undefined,
  log: silent,
});
await catalog.start();

let isOver = false;
let answered = 0;
let refused = 0;
const lost: string[] = [];
const client = ask();
let before = 0;
for (let cycle = 1; cycle <= Number(cycles); cycle++) {
  // Every other time it stays in service.
  if (cycle % 2 === 0) await catalog.unload("m");
  await catalog.load("m");
  if (cycle === SETTLED_AFTER) before = resident();
}
isOver = true;
await client;
const report: CyclesReport = { answered, lost, refused, before, after: resident() };
await catalog.close();
console.log(JSON.stringify(report));

async function ask(): Promise<void> {
  for (let index = 0; !isOver; index = (index + 1) % 1000) {
    const model = findModel();
    if (model === undefined) refused++;
    else await check(model, index);
    // As a client that is refused: later.
    await new Promise((resolve) => (model === undefined ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
}

function findModel(): Model | undefined {
  try {
    return catalog.get("m");
  } catch (error) {
    if (!(error instanceof ProtocolError && error.status === 503)) lost.push(String(error));
    return undefined;
  }
}

async function check(model: Model, index: number): Promise<void> {
  const x = { name: "x", datatype: "INT64", shape: [1], data: new BigInt64Array([BigInt(index)]) } as const;
  try {
    const [y] = await model.infer([x], { outputs: ["y"], deadline: Number.POSITIVE_INFINITY });
    if (y?.data[0] === index) answered++;
    else lost.push(`element ${index} is ${y?.data[0]}`);
  } catch (error) {
    lost.push(String(error));
  }
}

function resident(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
