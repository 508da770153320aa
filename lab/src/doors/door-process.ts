// The lab's door: a process inside the lab whose listening sockets were opened on the machine, so that a connection to
// 127.0.0.1:PORT of the machine becomes one to 127.0.0.1:PORT of the lab. It gets the sockets from the process that
// starts it, as messages, and it listens on a unix socket where a connection names the port it wants by its first line.
import { unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

const [dialSocket = ""] = process.argv.slice(2);

/** With a shorter queue the kernel resets connections when a load test opens them all at once. */
const BACKLOG = 4096;

/** Breaks a connection so that its other end sees it as broken. A unix socket cannot tell, and is closed. */
function breakOff(socket: Socket): void {
  if (socket.remoteFamily && !socket.destroyed) socket.resetAndDestroy();
  else socket.destroy();
}

/** Carries bytes both ways between a client and a port of the lab; an end of one direction leaves the other open. */
function carry(client: Socket, port: number): void {
  const inner = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
  client.setNoDelay(true);
  client.pipe(inner);
  inner.pipe(client);
  for (const [socket, other] of [
    [client, inner],
    [inner, client],
  ] as const) {
    // A connection that broke on one side must break on the other, not look like a proper end.
    socket.on("error", () => breakOff(other));
    socket.on("close", () => {
      if (!socket.readableEnded) breakOff(other);
    });
  }
}

/** The first line of a connection is the port; what follows is the port's. */
function dial(client: Socket): void {
  let head = Buffer.alloc(0);
  client.on("error", () => client.destroy());
  client.on("data", function read(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(10);
    if (end < 0 && head.length < 8) return;
    client.off("data", read);
    client.pause();
    const port = Number(head.subarray(0, end).toString("latin1"));
    if (end < 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
      client.destroy();
      return;
    }
    client.unshift(head.subarray(end + 1));
    carry(client, port);
    client.resume();
  });
}

// Every service of the lab is behind this process: a fault of one connection goes to the log, and no further.
process.on("uncaughtException", (error) => console.error(new Date().toISOString(), error));

process.on("message", (message: { port: number } | "all", listener: Server | undefined) => {
  if (message === "all") {
    process.send?.("open", () => process.disconnect());
  } else if (listener) {
    const options = { allowHalfOpen: true, noDelay: true };
    createServer(options, (client) => carry(client, message.port)).listen(listener, BACKLOG);
  }
});

try {
  unlinkSync(dialSocket);
} catch {
  // the lab's first door
}
createServer({ allowHalfOpen: true }, dial).listen({ path: dialSocket, backlog: BACKLOG });
