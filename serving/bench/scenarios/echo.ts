import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Bench, Fleet } from "../bench.ts";
import { type Entry, entryOf, heat } from "../contest.ts";
import { requestOf, type Way } from "../wire/request.ts";

const ECHO = resolve(import.meta.dirname, "../limits/echo.ts");

/** The bare echo, which answers the sample's request with the bytes that our server answers it with. */
export async function enterEcho(bench: Bench, fleet: Fleet, way: Way): Promise<Entry[]> {
  const verified = await fleet.verified("ours", way);
  if ("fault" in verified) return [];
  const file = join(bench.folder("echo"), "answer");
  writeFileSync(file, verified.answer);
  const { address, process } = await fleet.startLimit("echo", (port) => [ECHO, String(port), file]);
  const target = bench.generator.target(address, requestOf(fleet.sample, way)).expecting(verified.answer);
  const entries = [entryOf(bench, "limit", "node:http echo", target, process)];
  await heat(bench, entries);
  return entries;
}
