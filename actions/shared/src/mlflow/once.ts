import { ActionError } from "../action-runtime/error.ts";
import type { MlflowApi } from "./api.ts";
import { MlflowRefusal } from "./refusal.ts";

/** Network errors after which nothing can have been carried out, since no connection stood. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * Creates something exactly once. MLflow takes no idempotency key, so a creation whose answer got lost is looked up and
 * never sent again: a POST that is repeated after a 504 makes a second version. One that was never sent is repeated.
 */
export async function createOnce<T>(
  api: MlflowApi,
  create: () => Promise<T>,
  find: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof ActionError) || error.blame !== "inconclusive" || error.code === "CANCELLED") throw error;
      const sent = !wasNeverSent(error);
      if (!sent && attempt >= api.attempts) throw error;
      const found = sent ? await lookUp(api, find) : undefined;
      if (found !== undefined) return found;
      if (sent) throw error;
      await api.clock.sleep(500 * 2 ** attempt, api.options.signal);
    }
  }
}

/** The server may still be at work on the request when its answer is given up, so it is looked for more than once. */
async function lookUp<T>(api: MlflowApi, find: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const pause of [250, 1_000, 3_000]) {
    await api.clock.sleep(pause, api.options.signal);
    const found = await find();
    if (found !== undefined) return found;
  }
  return undefined;
}

function wasNeverSent(error: ActionError): boolean {
  if (error instanceof MlflowRefusal) return error.status === 429;
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause)
    if (neverSent.has((cause as NodeJS.ErrnoException).code ?? "")) return true;
  return false;
}
