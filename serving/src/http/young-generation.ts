import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of large bodies that may be read from sockets before their chunks are freed. */
const COLLECT_AFTER = 8 * 1024 * 1024;
/** Bodies below this come in one chunk or two. */
const LARGE = 64 * 1024;

type Collect = (options: { readonly type: "minor" }) => void;

let collect: Collect | undefined;
let read = 0;

/**
 * Frees the chunks that sockets were read into, once there are many. Each is 64 KiB outside of V8's heap that hangs on a
 * small object within: V8 sees little reason to collect, until hundreds of them are out of the processor's caches. To read
 * an image-sized body then takes twice as long.
 *
 * @param bytes of a body that was read
 */
export function freeChunks(bytes: number): void {
  if (bytes < LARGE) return;
  read += bytes;
  if (read < COLLECT_AFTER) return;
  read = 0;
  collect ??= exposeCollector();
  collect({ type: "minor" });
}

/** V8's collector, for this module alone. Made when it is first needed: most servers never see a large body. */
function exposeCollector(): Collect {
  setFlagsFromString("--expose-gc");
  const found = runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return found;
}
