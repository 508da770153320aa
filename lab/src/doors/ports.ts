import { once } from "node:events";
import { createServer } from "node:net";
import { LabError } from "../progress/error.ts";
import type { LabPorts } from "../state/record.ts";

/** Blocks of ports lie below the range from which Linux picks the ports of outgoing connections (32768 and up). */
const FIRST = 20_000;
const BLOCK = 16;
const BLOCKS = 780;
const NODE_PORTS = 10;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen({ host: "127.0.0.1", port }), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/**
 * A block of free ports on 127.0.0.1. The search starts where the lab's id says, so that labs rarely meet.
 * @param id hexadecimal digits.
 * @throws LabError NO_FREE_PORTS
 */
export async function choosePorts(id: string, free: (port: number) => Promise<boolean> = isFree): Promise<LabPorts> {
  const start = Number.parseInt(id, 16) % BLOCKS;
  for (let step = 0; step < BLOCKS; step += 1) {
    const first = FIRST + ((start + step) % BLOCKS) * BLOCK;
    const wanted = Array.from({ length: BLOCK }, (_, index) => first + index);
    const found = await Promise.all(wanted.map((port) => free(port)));
    if (found.every(Boolean)) return portsFrom(first);
  }
  throw new LabError("NO_FREE_PORTS", `no ${BLOCK} ports in a row are free between ${FIRST} and 32480`, {
    remedy: "see what listens (ss -ltn) and end what is not needed",
  });
}

/** The ports of the block that starts at this one. */
export function portsFrom(first: number): LabPorts {
  const nodePorts = first + BLOCK - NODE_PORTS;
  return {
    registry: first,
    mlflow: first + 1,
    kubernetes: first + 2,
    nodePorts: [nodePorts, nodePorts + NODE_PORTS - 1],
  };
}
