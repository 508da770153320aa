/** Calls without an end of their own: told when the server stops, for it would wait for them for ever. */
export class OpenStreams {
  readonly #stops = new Set<() => void>();
  #stopping = false;

  /**
   * @param stop ends the call
   * @returns to be called when the call has ended
   */
  enter(stop: () => void): () => void {
    this.#stops.add(stop);
    // It came over a connection that was open when the server began to stop.
    if (this.#stopping) stop();
    return () => this.#stops.delete(stop);
  }

  /** How many are open. */
  get size(): number {
    return this.#stops.size;
  }

  stop(): void {
    this.#stopping = true;
    for (const stop of this.#stops) stop();
  }
}
