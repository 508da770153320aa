import type { Log } from "../../shared/src/action-runtime/log.ts";
import type { Check } from "./check.ts";
import type { Client } from "./client.ts";
import { parseExact, stringifyExact } from "./exact-json.ts";
import type { GoldenCase } from "./golden.ts";
import { compareOutputs, type Tolerance } from "./parity.ts";

/** Sends every golden case and compares the answers with what the training framework gave. Adds to `checks`. */
export async function checkGoldenCases(
  client: Client,
  model: string,
  cases: readonly GoldenCase[],
  tolerance: Tolerance,
  checks: Check[],
  log: Log,
): Promise<void> {
  for (const { name, request, expected } of cases) {
    const answer = await client.post(inferPath(model), stringifyExact(request), `golden case '${name}'`);
    const fault = faultOf(answer.status, answer.text, expected, tolerance);
    if (fault !== undefined) log.line(`golden case '${name}': ${fault}`);
    const verdict = fault === undefined ? "pass" : "fail";
    checks.push({ suite: "golden cases", name, verdict, message: fault ?? "", seconds: answer.milliseconds / 1_000 });
  }
}

export function inferPath(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}/infer`;
}

function faultOf(status: number, text: string, expected: GoldenCase["expected"], tolerance: Tolerance) {
  if (status !== 200) return `HTTP ${status}: ${text.slice(0, 300)}`;
  try {
    return compareOutputs(expected, parseExact(text), tolerance);
  } catch {
    return `the answer is not JSON: ${text.slice(0, 100)}`;
  }
}
