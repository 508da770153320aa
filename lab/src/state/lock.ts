import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { cancelled } from "../progress/error.ts";
import type { LabHome } from "./home.ts";

/** Who holds a lab's lock: enough for a person to find the process. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly since: string;
}

/**
 * The lock is an abstract unix socket: the kernel frees it with the process that holds it, however that process ends, so
 * there is no stale lock to break; and whoever connects is told who holds it and notices when it is free.
 */
const address = (home: LabHome) => `\0mlops-lab/${home.id}/lock`;

/** Takes the lock if it is free, and returns what frees it. */
async function tryLock(home: LabHome, holder: Holder): Promise<(() => void) | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("close", () => waiting.delete(socket));
    socket.on("error", () => undefined);
    socket.write(`${JSON.stringify(holder)}\n`);
  });
  server.unref();
  try {
    await once(server.listen(address(home)), "listening");
    return () => {
      server.close();
      for (const socket of waiting) socket.destroy();
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
}

/** Resolves to the holder while somebody holds the lock; the socket closes when the lock is free. */
async function askHolder(home: LabHome): Promise<{ holder: Holder; socket: Socket } | undefined> {
  const socket = connect(address(home));
  try {
    await once(socket, "connect");
    let text = "";
    socket.setEncoding("utf8");
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += chunk;
      if (text.includes("\n")) return { holder: JSON.parse(text) as Holder, socket };
    }
  } catch {
    // freed in the meantime
  }
  socket.destroy();
  return undefined;
}

/**
 * Does work while no other process works on the same lab, and waits for its turn.
 * @param onWait called with the holder, once for each holder that is waited for.
 * @throws LabError CANCELLED when the signal aborts while waiting.
 */
export async function withLock<T>(
  home: LabHome,
  options: { readonly command: string; readonly signal?: AbortSignal | undefined; onWait(holder: Holder): void },
  work: () => Promise<T>,
): Promise<T> {
  const me: Holder = { pid: process.pid, command: options.command, since: new Date().toISOString() };
  for (;;) {
    if (options.signal?.aborted) throw cancelled(options.command);
    const free = await tryLock(home, me);
    if (free) {
      try {
        return await work();
      } finally {
        free();
      }
    }
    const held = await askHolder(home);
    if (!held) continue;
    options.onWait(held.holder);
    await untilFree(held.socket, options);
  }
}

async function untilFree(
  socket: Socket,
  options: { command: string; signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    socket.resume();
    if (!socket.closed) await once(socket, "close", options.signal ? { signal: options.signal } : {});
  } catch (error) {
    if (options.signal?.aborted) throw cancelled(options.command);
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
  } finally {
    socket.destroy();
  }
}

/** Who works on the lab at this moment, if anybody does. */
export async function lockHolder(home: LabHome): Promise<Holder | undefined> {
  const held = await askHolder(home);
  held?.socket.destroy();
  return held?.holder;
}
