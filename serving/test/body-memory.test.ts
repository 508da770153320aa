import { expect, onTestFinished, test } from "vitest";
import { BodyMemory } from "../src/http/body-memory.ts";
import { EchoListener } from "./echo-listener.ts";
import { identityModel } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

const KIB = 1024;

test("memory is used again for bodies of nearly the same size, and starts where it is asked to", () => {
  const memory = new BodyMemory();
  const first = memory.take(600_000, 3);
  expect([first.byteOffset % 8, first.length]).toEqual([3, 600_000]);
  const { buffer } = first;
  memory.give(first);
  const second = memory.take(599_000, 5);
  expect(second.buffer).toBe(buffer);
  expect([second.byteOffset, second.length]).toEqual([5, 599_000]);
  // It is taken: the next body gets other memory.
  expect(memory.take(599_000, 5).buffer).not.toBe(buffer);
});

test("small bodies, and what was moved to another thread, are not kept; nor is more than a bound", () => {
  const memory = new BodyMemory();
  memory.give(memory.take(1_000, 0));
  const moved = memory.take(600_000, 0);
  structuredClone(moved.buffer, { transfer: [moved.buffer as ArrayBuffer] });
  memory.give(moved);
  expect(memory.kept).toBe(0);
  const bodies = Array.from({ length: 40 }, () => memory.take(1_024 * KIB, 0));
  for (const body of bodies) memory.give(body);
  expect(memory.kept).toBe(16 * 1_024 * KIB);
});

test("bodies of another size than before have their memory kept at once, at the cost of the older", () => {
  const memory = new BodyMemory();
  const before = Array.from({ length: 16 }, () => memory.take(1_024 * KIB, 0));
  for (const body of before) memory.give(body);
  const first = memory.take(640 * KIB, 0);
  memory.give(first);
  expect(memory.kept).toBe(15 * 1_024 * KIB + 640 * KIB);
  expect(memory.take(640 * KIB, 0).buffer).toBe(first.buffer);
  // What nobody needed since is freed as ever.
  memory.trim();
  memory.trim();
  expect(memory.kept).toBe(0);
});

test("what was not needed for a while is freed, what is in use is kept", () => {
  const memory = new BodyMemory();
  const bodies = [1, 2, 3, 4].map(() => memory.take(128 * KIB, 0));
  for (const body of bodies) memory.give(body);
  memory.trim();
  // One at a time is needed from now on.
  for (let count = 0; count < 5; count++) memory.give(memory.take(128 * KIB, 0));
  memory.trim();
  expect(memory.kept).toBe(128 * KIB);
  memory.trim();
  expect(memory.kept).toBe(0);
});

test("a body's memory is nobody else's before it is answered with success", async () => {
  const echo = await EchoListener.start();
  const [slow, quick] = [await echo.connect(), await echo.connect()];
  const large = (character: string) => character.repeat(300 * KIB);
  const post = (target: string, body: string) =>
    [`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`, body] as const;
  slow.send(...post("/held", large("s")));
  await expect.poll(() => echo.held.length).toBe(1);
  for (const character of "abc") {
    quick.send(...post("/quick", large(character)));
    expect((await quick.answer()).body.toString()).toBe(`POST /quick ${large(character)}`);
  }
  echo.held[0]?.answer();
  expect((await slow.answer()).body.toString()).toBe(`POST /held ${large("s")}`);
  // Those that were answered shared one piece of memory; the held one had its own.
  expect(new Set(echo.bodies.map(({ buffer }) => buffer)).size).toBe(2);
});

test.each(["inline", "workers"])(
  "of many large requests at once each gets its own answer (%s)",
  async (mode) => {
    const elements = 100_000;
    const x = { name: "x", type: "FP32", shape: [elements] } as const;
    const server = await ServerProcess.serving({ "m/1/model.onnx": identityModel([x]) }, ["--execution", mode]);
    onTestFinished(() => server.kill());
    const head = JSON.stringify({
      inputs: [{ name: "x", datatype: "FP32", shape: [elements], parameters: { binary_data_size: elements * 4 } }],
      parameters: { binary_data_output: true },
    });
    const ask = async (value: number): Promise<boolean> => {
      const sent = Buffer.from(new Float32Array(elements).fill(value).buffer);
      const answer = await fetch(`${server.url}/v2/models/m/infer`, {
        method: "POST",
        headers: { "inference-header-content-length": String(head.length) },
        body: Buffer.concat([Buffer.from(head), sent]),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return bytes.subarray(-sent.length).equals(sent);
    };
    const client = async (start: number) => {
      const right: boolean[] = [];
      for (let round = 0; round < 15; round++) right.push(await ask(start + round));
      return right;
    };
    const outcomes = (await Promise.all([0, 100, 200, 300, 400, 500].map(client))).flat();
    expect(outcomes.filter((right) => !right)).toEqual([]);
  },
  60_000,
);
