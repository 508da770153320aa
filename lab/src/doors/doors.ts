import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, SYSTEM_PATH } from "../namespaces/namespaces.ts";
import { expectListener } from "../parts/listener.ts";
import { fingerprintOf, type Part } from "../parts/part.ts";
import { LabError } from "../progress/error.ts";
import type { LabHome } from "../state/home.ts";
import { dialSocket } from "./dial.ts";

const DOOR_PROCESS = fileURLToPath(new URL("door-process.ts", import.meta.url));
const BACKLOG = 4096;

/** An address of the machine whose connections are carried to 127.0.0.1 and the same port inside the lab. */
export interface Door {
  readonly host: string;
  readonly port: number;
}

/** Opens a listening socket on the machine. */
async function open(door: Door, home: LabHome): Promise<Server> {
  const server = createServer();
  try {
    await once(server.listen({ host: door.host, port: door.port, backlog: BACKLOG }), "listening");
    return server;
  } catch (cause) {
    throw new LabError("PORT_TAKEN", `port ${door.port} of ${door.host} belongs to another process`, {
      remedy: `end that process (ss -ltnp 'sport = :${door.port}' names it), or give the lab new ports, and with them new \
data: npm run lab -- down --purge --name ${home.name}`,
      cause,
    });
  }
}

/** Hands listening sockets over to the door's process, and waits until it serves them. */
export async function handOver(
  channel: ChildProcess,
  listeners: readonly { readonly door: Door; readonly server: Server }[],
): Promise<void> {
  const served = once(channel, "message", { signal: AbortSignal.timeout(15_000) });
  const send = (message: object | string, handle?: Server) =>
    new Promise<void>((resolve, reject) => {
      channel.send(message, handle, (error) => (error ? reject(error) : resolve()));
    });
  for (const { door, server } of listeners) await send({ port: door.port }, server);
  await send("all");
  await served;
  channel.disconnect();
}

/** The part that makes the lab's services reachable on the machine: one process for all addresses. */
export function doorsPart(home: LabHome, doors: readonly Door[]): Part {
  const flags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2"];
  const command = [process.execPath, ...flags, DOOR_PROCESS, dialSocket(home)];
  const environment = { PATH: SYSTEM_PATH };
  const fingerprint = fingerprintOf({ command, doors, environment });
  const log = join(home.logs, "doors.log");
  const first = doors[0];
  return {
    name: "doors",
    needs: [],
    address: first ? `${first.host}:${first.port} and ${doors.length - 1} more` : "",
    fingerprint: () => fingerprint,
    log,
    patienceSeconds: 20,
    ending: { signal: "SIGTERM", withinMs: 1000 },
    start: async (namespaces) => {
      const listeners: { door: Door; server: Server }[] = [];
      try {
        for (const door of doors) listeners.push({ door, server: await open(door, home) });
        const what = { part: "doors", fingerprint, network: "lab", command, environment, log } as const;
        await launch(home, namespaces, what, (channel) => handOver(channel, listeners));
      } finally {
        for (const { server } of listeners) server.close();
      }
    },
    ready: () => expectListener(dialSocket(home)),
    settle: async () => undefined,
  };
}
