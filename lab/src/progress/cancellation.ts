/**
 * A signal that aborts when this process is asked to stop (SIGINT, SIGTERM, SIGHUP), so that work ends in order. The third
 * request ends the process at once.
 */
export function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  let requests = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      requests += 1;
      controller.abort();
      if (requests >= 3) process.exit(130);
    });
  }
  return controller.signal;
}
