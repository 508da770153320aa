import type { Session } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Executor } from "./executor.ts";

/** Runs on the event loop's thread: the cheapest way, for models that take well under a millisecond. */
export class InlineExecutor implements Executor {
  readonly capacity = 1;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] {
    return this.#session.run(inputs, outputs);
  }

  async close(): Promise<void> {
    this.#session.dispose();
  }
}
