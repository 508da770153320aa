import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Far longer than any case takes: a server that is silent for so many seconds hangs. */
const PATIENCE_S = 10;

/** What has to be known of a failure to see it again. */
export function reproduction(label: string, sent: Buffer): string {
  const most = 3_000;
  const text = sent.toString("latin1", 0, most).replace(/[^\x20-\x7e]|\\/g, (character) => {
    const code = character.charCodeAt(0);
    return character === "\r" ? "\\r" : character === "\n" ? "\\n" : `\\x${code.toString(16).padStart(2, "0")}`;
  });
  const more = sent.length > most ? ` … and ${sent.length - most} bytes more` : "";
  return `${label}; ${sent.length} bytes were sent: "${text}"${more}`;
}

/** @throws Error when it takes longer than {@link PATIENCE_S} */
export async function soon<T>(what: string, act: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    let seconds = 0;
    // Second by second: while this process itself is busy, none is counted.
    timer = setInterval(() => {
      if (++seconds >= PATIENCE_S) reject(new Error(`${what} took longer than ${PATIENCE_S} s`));
    }, 1_000);
  });
  try {
    return await Promise.race([act, late]);
  } finally {
    clearInterval(timer);
  }
}

/** Sends bytes to a port that speaks something else, and ends its side; resolves with all that came back. */
export async function poke(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const received: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await soon("the end of a connection", closed);
  return Buffer.concat(received);
}
