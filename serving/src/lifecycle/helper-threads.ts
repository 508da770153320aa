import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, getPriority, setPriority } from "node:os";

/** What Node calls the threads on which V8 compiles and collects. */
const HELPER = "V8Worker";
/** The kernel gives a thread this much nicer about a tenth of the time of the one it shares a processor with. */
const NICER = 10;
const NICEST = 19;

/**
 * Lets the thread that answers go first where all threads share one processor. V8's four helpers otherwise take turns with it
 * as its equals, up to four milliseconds each: a collection's marking, which runs beside the answers, then holds them up for
 * longer than it takes. On several processors they seldom meet, and a collection that waits for its helpers should not wait
 * for other work there.
 *
 * @param processors that the process may run on
 */
export function lowerHelperThreads(processors = availableParallelism()): void {
  if (processors > 1) return;
  try {
    const priority = Math.min(NICEST, getPriority() + NICER);
    for (const thread of readdirSync("/proc/self/task")) {
      // Linux takes a thread's number where POSIX has a process's, see setpriority(2), "C library/kernel differences".
      if (readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim() === HELPER) {
        setPriority(Number(thread), priority);
      }
    }
  } catch {
    // Not Linux, or a sandbox that has no such threads or does not let go of them: slower, not wrong.
  }
}
