import assert from "node:assert/strict";
import type { ElementType } from "../onnx-file.ts";
import type { RawAnswer } from "../raw-client.ts";
import { bytesOfJson, canonical, parseExact, type Written } from "./elements.ts";
import { expectedAnswer, type PlainTensor, type Sent } from "./reference.ts";

/**
 * How a request may be answered: `answered` with 200, and rightly; `refused` with 4xx, in words; `either`, depending on
 * whether it is still valid. Where it is not whole, no answer is as good as a refusal (`silent`), and where that is not
 * known, as good as either (`perhaps`).
 */
export interface Expectation {
  readonly kind: "answered" | "refused" | "either" | "silent" | "perhaps";
  /** What 200 is held against; undefined: nothing that was sent makes 200 right. */
  readonly sent?: Sent | undefined;
  /** Only these. */
  readonly statuses?: readonly number[];
}

/** @throws Error that says what is wrong with the answer */
export function judge(answer: RawAnswer, { kind, sent, statuses }: Expectation): void {
  const { status, headers, body } = answer;
  const told = `${status} ${body.toString("latin1", 0, 300)}`;
  if (statuses !== undefined) assert.ok(statuses.includes(status), `answered ${told}, expected ${statuses}`);
  if (status === 200) {
    assert.ok(kind !== "refused" && kind !== "silent" && sent !== undefined, `answered ${told}, expected a refusal`);
    judgeOutputs(answer, sent);
    return;
  }
  assert.notEqual(kind, "answered", `refused what is valid: ${told}`);
  // 504: a time limit that the request set itself.
  const ownLimit = status === 504 && sent?.body.includes("timeout") === true;
  assert.ok((status >= 400 && status < 500) || ownLimit, `answered ${told}`);
  assert.equal(headers.get("content-type"), "application/json", told);
  const { error, ...rest } = JSON.parse(body.toString()) as { error?: unknown };
  assert.deepEqual(rest, {}, told);
  assert.ok(typeof error === "string" && error.length > 10, `refused without a message: ${told}`);
  assert.ok(error.length < 4_000, `refused with a message of ${error.length} characters`);
}

function judgeOutputs({ headers, body }: RawAnswer, sent: Sent): void {
  const expected = expectedAnswer(sent);
  const length = headers.get("inference-header-content-length");
  const json = length === undefined ? body : body.subarray(0, Number(length));
  const { id, outputs } = parseExact(json.toString()) as {
    readonly id: unknown;
    readonly outputs: readonly Readonly<Record<string, unknown>>[];
  };
  assert.deepEqual(id, expected.id, "answered with another id");
  let at = json.length;
  const plain = outputs.map(({ name, datatype, shape, data, parameters }): PlainTensor => {
    const type = datatype as ElementType;
    const sizes = (shape as readonly Written[]).map(({ text }) => Number(text));
    const tensor = { name: name as string, datatype: type, shape: sizes };
    if (data !== undefined) return { ...tensor, bytes: bytesOfJson(type, data as readonly unknown[]) };
    const size = Number((parameters as { readonly binary_data_size: Written }).binary_data_size.text);
    at += size;
    return { ...tensor, bytes: canonical(type, body.subarray(at - size, at)) };
  });
  assert.equal(at, body.length, "answered with bytes that belong to no output");
  judgeTensors(plain, expected.outputs, sent.jsonLength === 0);
}

/**
 * @param flat only the bytes count: a raw request has no shape of its own
 * @throws Error
 */
export function judgeTensors(found: readonly PlainTensor[], expected: readonly PlainTensor[], flat = false): void {
  const told = (tensors: readonly PlainTensor[]) =>
    tensors.map(({ name, datatype, shape, bytes }) => ({
      name,
      datatype,
      shape: flat ? undefined : shape.join(),
      bytes: (datatype === "BYTES" && flat ? bytes.subarray(4) : bytes).toString("hex"),
    }));
  assert.deepEqual(told(found), told(expected), "answered something else than was sent");
}
