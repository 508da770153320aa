import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { freeChunks } from "../src/http/young-generation.ts";

const MIB = 1024 * 1024;

/** Makes chunks that nobody holds, as sockets do: 32 MiB of them. */
function dropChunks(): void {
  for (let count = 0; count < 512; count++) new ArrayBuffer(64 * 1024);
}

const held = () => process.memoryUsage().arrayBuffers / MIB;

test("what sockets were read into is freed once there is much of it, and not for small bodies", async () => {
  // The first time the collector is found, which takes memory.
  freeChunks(9 * MIB);
  const before = held();
  dropChunks();
  for (let count = 0; count < 1_000; count++) freeChunks(60 * 1024);
  freeChunks(7 * MIB);
  expect(held() - before).toBeGreaterThan(24);
  freeChunks(2 * MIB);
  // Other threads give it back meanwhile; nothing is allocated here that would make V8 collect by itself.
  await sleep(500);
  expect(held() - before).toBeLessThan(8);
  // The collector is nobody else's.
  expect("gc" in globalThis).toBe(false);
});
