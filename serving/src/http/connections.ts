import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The open connections of a server. */
export class Connections {
  readonly #open = new Set<Socket>();

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  /** Closes those that never sent a byte: to `server.close()` they count as busy, and it would wait for them. */
  closeSilent(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }
}
