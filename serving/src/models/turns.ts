/** What is done with one name is done one after the other; different names do not wait for each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Runs the task when those before it with this name are done.
   *
   * @param task what it passes to `hold` belongs to its turn, though its result is there before that ends
   */
  take<T>(name: string, task: (hold: (work: Promise<unknown>) => void) => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const held: Promise<unknown>[] = [];
    const result = before.then(() => task((work) => held.push(work)));
    const turn = result.then(
      () => Promise.allSettled(held),
      () => Promise.allSettled(held),
    );
    this.#last.set(name, turn);
    void turn.then(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    });
    return result;
  }

  /** Settles when every turn that was taken so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
