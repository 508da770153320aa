/** Told when nobody waits for an answer any more. Lighter than an AbortController: there is one for every request. */
export class Cancellation {
  #cancelled = false;
  #listener: (() => void) | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Calls the listener, once. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#listener?.();
  }

  /** The one listener: what waits for the result. Pass undefined to take it away. */
  onCancel(listener: (() => void) | undefined): void {
    this.#listener = listener;
  }
}

/** The client left before its answer was there: nobody is there to be answered. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}
