import assert from "node:assert/strict";
import { RawClient } from "../raw-client.ts";
import { reproduction, soon } from "./fuzz-client.ts";
import { type Expectation, judge } from "./oracle.ts";
import type { RestCase } from "./rest-case.ts";

/** Cases one after the other, on one connection for as long as it is kept. */
export class RestLane {
  readonly #port: number;
  #client: RawClient | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws Error that says how to see it again, when an answer is wrong or missing */
  async run(name: string, given: RestCase): Promise<void> {
    try {
      await this.#run(given);
    } catch (error) {
      this.close();
      const sent = Buffer.concat(given.pieces.filter((piece) => typeof piece !== "number"));
      const { message } = error as Error;
      throw new Error(`${name}${message}\n${reproduction(given.label, sent)}`, { cause: error });
    }
  }

  close(): void {
    this.#client?.socket.destroy();
    this.#client = undefined;
  }

  async #run({ pieces, ending, answers, rest = false, continues = false }: RestCase): Promise<void> {
    const client = this.#client ?? (await soon("a connection", RawClient.connect(this.#port)));
    this.#client = client;
    for (const piece of pieces) {
      if (typeof piece === "number") await new Promise((resolve) => setTimeout(resolve, piece));
      else client.send(piece);
    }
    if (ending === "resets") {
      client.socket.resetAndDestroy();
      this.#client = undefined;
      return;
    }
    if (ending === "ends") client.end();
    let isKept = ending === "waits" && !rest;
    let continued = false;
    for (const [index, expectation] of answers.entries()) {
      let answer = await soon("an answer", this.#answer(client, expectation));
      if (answer?.status === 100) {
        assert.ok(continues && !continued, "told to go on without having asked");
        continued = true;
        answer = await soon("an answer", this.#answer(client, expectation));
      }
      if (answer === undefined) {
        isKept = false;
        break;
      }
      judge(answer, expectation);
      const isLast = index === answers.length - 1;
      if (answer.headers.get("connection") === "close") {
        assert.ok(isLast || !isKept, "closed before all was answered");
        isKept = false;
      }
    }
    if (isKept) {
      assert.equal(client.unread, "", "answered more than was asked");
      return;
    }
    if (ending === "ends") await this.#judgeRest(client);
    this.close();
  }

  async #answer(client: RawClient, { kind }: Expectation) {
    try {
      return await client.answer();
    } catch (error) {
      if (kind !== "silent" && kind !== "perhaps") throw error;
      assert.equal(client.unread, "", "ended within an answer");
      return undefined;
    }
  }

  /** The client has ended its side: the server answers what is left, if it does, and ends its own. */
  async #judgeRest(client: RawClient): Promise<void> {
    for (;;) {
      const answer = await soon("the end of a connection", this.#answer(client, { kind: "perhaps" }));
      if (answer === undefined) return;
      judge(answer, { kind: "refused" });
    }
  }
}
