/** Looks through what waits, again and again, for as long as there is something to look at: an idle server does not wake up. */
export class Sweeper {
  readonly #everyMs: number;
  readonly #sweep: () => void;
  readonly #isNeeded: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number, sweep: () => void, isNeeded: () => boolean) {
    this.#everyMs = everyMs;
    this.#sweep = sweep;
    this.#isNeeded = isNeeded;
  }

  /** Something may wait now. */
  wake(): void {
    if (this.#timer !== undefined || !this.#isNeeded()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      this.wake();
    }, this.#everyMs).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
