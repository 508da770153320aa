import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A client that sends bytes as they are given, and reads answers one by one. */
export class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  /** Bytes that have to be there before it is worth looking at them again. */
  #needed = 1;
  #ended = false;
  #news: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#news();
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#news();
      });
    }
  }

  /** Connects; it is gone after the test at the latest. */
  static async connect(port: number): Promise<RawClient> {
    // Half open, so that a test can end its own side first.
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    await once(socket, "connect");
    onTestFinished(() => void socket.destroy());
    return new RawClient(socket);
  }

  send(...parts: readonly (string | Uint8Array)[]): this {
    this.socket.write(
      Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part))),
    );
    return this;
  }

  /** Ends this side. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** The beginning of what came and was not yet taken by {@link answer}. */
  get unread(): string {
    return this.#received().toString("latin1", 0, 300);
  }

  /**
   * The next answer.
   *
   * @param hasBody false for an answer to HEAD
   * @throws Error when the connection ends before it is whole
   */
  async answer(hasBody = true): Promise<RawAnswer> {
    for (;;) {
      const taken = this.#take(hasBody);
      if (taken !== undefined) return taken;
      if (this.#ended) throw new Error(`the connection ended, with ${JSON.stringify(this.unread)}`);
      await this.#more();
    }
  }

  /** The bodies of the next answers, as text. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push((await this.answer()).body.toString());
    return texts;
  }

  /** Resolves when the server has ended its side. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Resolves when the server has closed the connection; what it sent until then is read. */
  async closedByServer(): Promise<void> {
    this.socket.resume();
    await this.ended();
    this.socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#news = resolve;
    });
  }

  #received(): Buffer {
    const received = Buffer.concat(this.#chunks);
    this.#chunks = [received];
    return received;
  }

  #take(hasBody: boolean): RawAnswer | undefined {
    if (this.#chunks.reduce((sum, { length }) => sum + length, 0) < this.#needed) return undefined;
    const received = this.#received();
    const end = received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const [line = "", ...lines] = received.toString("latin1", 0, end).split("\r\n");
    const headers = new Map(
      lines.map((text) => [text.slice(0, text.indexOf(":")).toLowerCase(), text.slice(text.indexOf(":") + 1).trim()]),
    );
    const whole = end + 4 + (hasBody ? Number(headers.get("content-length") ?? 0) : 0);
    this.#needed = whole;
    if (received.length < whole) return undefined;
    this.#needed = 1;
    this.#chunks = [received.subarray(whole)];
    return { status: Number(line.split(" ")[1]), headers, body: received.subarray(end + 4, whole) };
  }
}
