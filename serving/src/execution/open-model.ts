import type { ExecutionPlan, InferOptions, Model } from "../models/model.ts";
import { Session } from "../runtime/session.ts";
import { elementCount, type Tensor, type TensorSpec } from "../tensor/tensor.ts";
import { AdaptiveExecutor } from "./adaptive.ts";
import { hasBatchDimension, mixesRows } from "./batch.ts";
import type { Executor } from "./executor.ts";
import { InlineExecutor } from "./inline.ts";
import { type Measurement, type MeasureOptions, measure } from "./measure.ts";
import { Scheduler } from "./scheduler.ts";
import { type ExecutionListener, ModelStatistics } from "./statistics.ts";
import { WorkerPool } from "./worker-pool.ts";

/** How models are run, unless their `config.json` says otherwise. */
export interface ExecutionSettings {
  /** `auto`: decided by the time that a run takes at warm-up. */
  readonly mode: "auto" | "inline" | "workers";
  /** Threads (and sessions) of a model that runs on workers; undefined: as many as `cpus` feeds. */
  readonly workers: number | undefined;
  /** What the process may use: workers times threads of more would only be throttled, health checks included. */
  readonly cpus: number;
  /** Threads that one operator may use. */
  readonly intraOpThreads: number;
  /** `auto`: requests are gathered into batches where warm-up shows that it pays. */
  readonly batching: "auto" | "off";
  /** Largest batch. */
  readonly maxBatchSize: number;
  /** Requests of one model that may wait; above it they are refused. */
  readonly queueLimit: number;
  /** Shapes to warm up with, by input, where ones in all open dimensions will not do. */
  readonly warmUpShapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** See `Signature`. */
  readonly emptyTensors?: boolean | undefined;
}

/** What to open. */
export interface ModelFile {
  readonly name: string;
  readonly version: string;
  /** Path of the ONNX file. */
  readonly file: string;
  /** Bytes of it, and of the files beside it that its weights lie in. */
  readonly size: number;
  /** What its nodes do, subgraphs and functions included. */
  readonly operators: ReadonlySet<string>;
  /** Whether requests are answered meanwhile, which would wait while the event loop's thread loads it. */
  readonly whileServing: boolean;
  /**
   * To be asked before the file is loaded once more, by a thread that starts later.
   *
   * @throws Error when it is not what was checked any more
   */
  readonly verify: () => Promise<void>;
}

/** Models above this size are loaded by a worker at once: to load them here would hold up the event loop. */
const LOAD_INLINE_BELOW_BYTES = 8 * 1024 * 1024;
/**
 * Models that take longer to load, in milliseconds of processor time, are not loaded by the event loop's thread while it
 * serves, however light their runs are: those that a thread tried first stay on threads.
 */
const LOAD_INLINE_BELOW_MS = 30;
/** Runs that take longer at warm-up go to workers. */
const INLINE_BELOW_MS = 1;
/** A first run, with the runtime's lazy set-up, that takes longer needs no second one to tell. */
const FIRST_BELOW_MS = 20;

/**
 * Loads a model, warms it up, and decides by what that showed how it is run.
 *
 * @param warn told when the model does not run on zeros: it is served without warm-up
 * @throws SessionError when it cannot be served
 */
export async function openModel(
  file: ModelFile,
  settings: ExecutionSettings,
  listen: ExecutionListener,
  warn: (message: string) => void = () => undefined,
): Promise<Model> {
  const { intraOpThreads, cpus, workers = Math.max(1, Math.floor(cpus / intraOpThreads)) } = settings;
  const measuring: MeasureOptions = {
    shapes: settings.warmUpShapes,
    maxBatchSize: settings.batching === "auto" && !mixesRows(file.operators) ? settings.maxBatchSize : 1,
  };
  const start = { file: file.file, session: { intraOpThreads }, measure: measuring };
  const open = (executor: Executor, signature: Described, plan: Omit<ExecutionPlan, "warmUpMs">): Model => {
    const { fault, singleMs } = signature.measurement;
    if (fault !== undefined) warn(fault);
    return new OpenModel(file, executor, signature, { ...plan, warmUpMs: singleMs }, settings, listen);
  };
  const onWorkers = async (first?: WorkerPool): Promise<Model> => {
    const pool = first ?? (await WorkerPool.start(start, 1, file.verify));
    await pool.grow(workers);
    const { maxBatchSize } = pool.description.measurement;
    return open(pool, pool.description, { mode: "workers", sessions: workers, maxBatchSize });
  };
  if (settings.mode === "workers") return onWorkers();
  if (settings.mode === "auto" && file.size > LOAD_INLINE_BELOW_BYTES) return onWorkers();
  let tried: Measurement | undefined;
  if (settings.mode === "auto" && file.whileServing) {
    const pool = await WorkerPool.start(start, 1, file.verify);
    if (isHeavy(pool.description.measurement) || pool.description.loadMs > LOAD_INLINE_BELOW_MS) return onWorkers(pool);
    tried = pool.description.measurement;
    await pool.close();
    await file.verify();
  }
  const session = Session.load(file.file, { intraOpThreads });
  const measurement = measureInline(session, measuring, settings.mode, tried);
  if (settings.mode === "auto" && isHeavy(measurement)) {
    session.dispose();
    return onWorkers();
  }
  const { inputs, outputs } = session;
  const inline = new InlineExecutor(session);
  const executor =
    settings.mode === "inline"
      ? inline
      : new AdaptiveExecutor(inline, warmUpElements(inputs, measuring, measurement), async () => {
          await file.verify();
          return WorkerPool.start({ ...start, measure: { ...measuring, maxBatchSize: 1 } }, workers, file.verify);
        });
  const { maxBatchSize } = measurement;
  return open(executor, { inputs, outputs, measurement }, { mode: "inline", sessions: 1, maxBatchSize });
}

interface Described {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly measurement: Measurement;
}

function isHeavy({ singleMs = 0 }: Measurement): boolean {
  return singleMs > INLINE_BELOW_MS;
}

/**
 * A model that turns out to be heavy is not measured further here: its worker does that. One that a worker has measured
 * is only warmed up.
 */
function measureInline(
  session: Session,
  options: MeasureOptions,
  mode: "auto" | "inline",
  tried: Measurement | undefined,
): Measurement {
  if (tried !== undefined) {
    measure(session, { ...options, slowMs: 0, maxBatchSize: 1 });
    return tried;
  }
  const slowMs = mode === "auto" ? { slowMs: FIRST_BELOW_MS } : {};
  const single = measure(session, { ...options, ...slowMs, maxBatchSize: 1 });
  const isDone = options.maxBatchSize === 1 || (mode === "auto" && isHeavy(single));
  return isDone ? single : measure(session, options);
}

/** Elements of the inputs that warm-up ran, in its largest batch. */
function warmUpElements(inputs: readonly TensorSpec[], options: MeasureOptions, measurement: Measurement): number {
  const counts = inputs.map(({ name, shape }) =>
    elementCount(options.shapes?.[name] ?? shape.map((size) => (size === -1 ? 1 : size))),
  );
  return Math.max(1, counts.reduce((sum, count) => sum + count, 0) * measurement.maxBatchSize);
}

class OpenModel implements Model {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly emptyTensors: boolean;
  readonly plan: ExecutionPlan;
  readonly statistics = new ModelStatistics();
  readonly #scheduler: Scheduler;

  constructor(
    { name, version }: ModelFile,
    executor: Executor,
    { inputs, outputs }: Described,
    plan: ExecutionPlan,
    { queueLimit, emptyTensors = false }: ExecutionSettings,
    listen: ExecutionListener,
  ) {
    this.name = name;
    this.version = version;
    this.inputs = inputs;
    this.outputs = outputs;
    this.emptyTensors = emptyTensors;
    this.plan = plan;
    const { maxBatchSize } = plan;
    const isProven = plan.warmUpMs !== undefined;
    const options = { name, queueLimit, maxBatchSize, isProven, hasRows: hasBatchDimension(inputs, outputs) };
    this.#scheduler = new Scheduler(executor, options, this.statistics, listen);
  }

  get pending(): number {
    return this.#scheduler.pending;
  }

  infer(inputs: readonly Tensor[], options: InferOptions): Promise<readonly Tensor[]> {
    return this.#scheduler.infer(inputs, options);
  }

  close(): Promise<void> {
    return this.#scheduler.close();
  }
}
