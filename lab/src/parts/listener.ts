import { once } from "node:events";
import { connect } from "node:net";

/** Throws unless something accepts connections on a unix socket of the lab. */
export async function expectListener(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(2000) });
  } finally {
    socket.on("error", () => undefined);
    socket.destroy();
  }
}
