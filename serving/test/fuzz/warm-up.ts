import assert from "node:assert/strict";
import { sizeOf } from "./elements.ts";
import { MODELS } from "./fuzz-models.ts";
import { JSON_LENGTH, targetOf } from "./http-request.ts";

/** More elements than a model runs on the event loop's thread before it has seen as many. */
const MANY = 5_000;

/** Has the server start the threads on which it runs large requests, so that their memory is not taken for a leak. */
export async function startThreads(rest: string): Promise<void> {
  for (const [name, { ports }] of MODELS) {
    const [{ datatype }] = ports as readonly [(typeof ports)[number]];
    if (!name.startsWith("row-")) continue;
    const data = Array(MANY).fill("");
    const json = JSON.stringify({ inputs: [{ name: "x", datatype, shape: [MANY], data }] });
    const isText = datatype === "BYTES";
    const answer = await fetch(`http://${rest}${targetOf(name, undefined)}`, {
      method: "POST",
      headers: isText ? {} : { [JSON_LENGTH]: "0" },
      body: isText ? json : Buffer.alloc(MANY * sizeOf(datatype)),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
}
