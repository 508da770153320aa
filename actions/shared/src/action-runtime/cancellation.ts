import { cancelled } from "./error.ts";

/**
 * The signal that ends an action's work. The runner sends SIGINT to the action's process, SIGTERM 7.5 s later, and kills it
 * 2.5 s after that (actions/runner, ProcessInvoker), so whoever listens has about seven seconds to leave things in order.
 */
export function cancellation(what: string, target: NodeJS.EventEmitter = process): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) target.once(name, () => controller.abort(cancelled(what)));
  return controller.signal;
}
