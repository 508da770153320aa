import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Check } from "./check.ts";
import type { Client } from "./client.ts";

/** Waits until the path answers 200. A model that is not ready in time has not been tested: that is inconclusive. */
export async function waitUntilReady(
  client: Client,
  path: string,
  timeoutMilliseconds: number,
  { clock, signal, log }: ActionContext,
): Promise<Check> {
  const started = clock.now();
  let last = "";
  for (;;) {
    const state = await client.get(path).then(
      ({ status, text }) => (status === 200 ? "" : `HTTP ${status} ${text.slice(0, 200)}`.trim()),
      (error: unknown) => {
        if (error instanceof ActionError && error.code === "ENDPOINT_UNREACHABLE") return error.message;
        throw error;
      },
    );
    const seconds = (clock.now() - started) / 1_000;
    const name = `GET ${path} answers 200`;
    if (state === "") return { suite: "readiness", name, verdict: "pass", message: "", seconds };
    if (seconds * 1_000 >= timeoutMilliseconds) {
      const message = `${path} did not answer 200 within ${timeoutMilliseconds / 1_000} s, last: ${state}`;
      return { suite: "readiness", name, verdict: "inconclusive", message, seconds };
    }
    if (state !== last) log.line(`waiting for ${path}: ${state}`);
    last = state;
    await clock.sleep(500, signal);
  }
}
