/** One Ctrl-C arrives several times: from the terminal, and from each program above this one that passes it on. */
const SAME_REQUEST_MS = 700;

/**
 * A signal that aborts when this process is asked to stop (SIGINT, SIGTERM, SIGHUP), so that work ends in order. The third
 * request ends the process at once.
 */
export function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  let requests = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      controller.abort();
      const now = performance.now();
      if (now - last < SAME_REQUEST_MS) return;
      last = now;
      requests += 1;
      if (requests >= 3) process.exit(130);
    });
  }
  return controller.signal;
}
