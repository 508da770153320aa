import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { handOver } from "../../src/doors/doors.ts";

// The door listens on 127.0.0.2 and connects to 127.0.0.1: two sides without namespaces.
const OUTER = "127.0.0.2";
const folder = mkdtempSync(join(tmpdir(), "door-"));
const dialSocket = join(folder, "dial.sock");
let door: ChildProcess;
const inner = { echo: undefined as Server | undefined, port: 0 };
const refused = { port: 0 };

async function listen(server: Server, host: string, port = 0): Promise<number> {
  await once(server.listen({ host, port, backlog: 4096 }), "listening");
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** Answers with everything it got, once the client has ended its direction. */
function echoAtEnd(socket: Socket): void {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => socket.end(Buffer.concat(chunks)));
  socket.on("error", () => undefined);
}

beforeAll(async () => {
  inner.echo = createServer({ allowHalfOpen: true }, echoAtEnd);
  inner.port = await listen(inner.echo, "127.0.0.1");
  const nobody = createServer();
  refused.port = await listen(nobody, "127.0.0.1");
  nobody.close();
  const program = fileURLToPath(new URL("../../src/doors/door-process.ts", import.meta.url));
  door = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, dialSocket], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const listeners = [inner.port, refused.port].map((port) => ({ door: { host: OUTER, port }, server: createServer() }));
  for (const { server, door: where } of listeners) await listen(server, where.host, where.port);
  await handOver(door, listeners);
  for (const { server } of listeners) server.close();
});

afterAll(async () => {
  door.kill();
  await once(door, "exit");
  inner.echo?.close();
  rmSync(folder, { recursive: true });
});

const client = (port: number) => connect({ host: OUTER, port, allowHalfOpen: true });

test("an ended direction leaves the other open", async () => {
  const socket = client(inner.port);
  socket.end("all of it");
  expect(await text(socket)).toBe("all of it");
});

test("carries 32 MiB each way without a change", async () => {
  const block = Buffer.alloc(32 * 2 ** 20, "0123456789abcdef");
  const socket = client(inner.port);
  socket.end(block);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).equals(block)).toBe(true);
});

test("serves 2,000 connections at the same time", async () => {
  const sockets = Array.from({ length: 2000 }, () => client(inner.port));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const answers = sockets.map((socket, index) => {
    socket.end(`number ${index}`);
    return text(socket);
  });
  expect(await Promise.all(answers)).toEqual(sockets.map((_, index) => `number ${index}`));
});

test("a port where nobody listens breaks the connection, and the door stays", async () => {
  const socket = client(refused.port);
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  const next = client(inner.port);
  next.end("still here");
  expect(await text(next)).toBe("still here");
});

test("a client that breaks off breaks the connection inside too", async () => {
  const socket = client(inner.port);
  const broken = new Promise<NodeJS.ErrnoException>((resolve) => {
    inner.echo?.once("connection", (peer: Socket) => {
      peer.once("error", resolve);
      peer.once("data", () => socket.resetAndDestroy());
    });
  });
  socket.write("half a request");
  expect((await broken).code).toBe("ECONNRESET");
});

test("the unix socket connects to the port that its first line names", async () => {
  const socket = connect({ path: dialSocket, allowHalfOpen: true });
  socket.end(`${inner.port}\nby name`);
  expect(await text(socket)).toBe("by name");
});

test.each(["no port\n", "70000\n", "123456789"])("the unix socket refuses %j", async (line) => {
  const socket = connect({ path: dialSocket, allowHalfOpen: true });
  socket.write(line);
  expect(await text(socket)).toBe("");
});
