import { Socket } from "node:net";

/** Takes what a socket reads, in memory of its own choice. */
export interface Reader {
  /** Where the next bytes go. At least one byte long; called when a read begins, and after each. */
  readonly memory: () => Uint8Array;
  /**
   * So many bytes lie at the beginning of the memory that was given when this read began.
   *
   * @returns false to read no further before `resume()`
   */
  readonly arrived: (bytes: number, memory: Uint8Array) => boolean;
}

/** What Node keeps of the option `onread` in a socket. */
type Fields = Record<symbol, unknown> & { _handle?: { useUserBuffer?: (memory: Uint8Array) => void } | null };

/**
 * Lets an accepted socket read into given memory, instead of 64 KiB of new memory for each read, of which "data" tells:
 * what a large body is read into is then its tensor, and a small request leaves nothing behind to be collected.
 *
 * Node has this as the option `onread` of sockets that connect (nodejs/node#25436), but no way to ask a server for it. So
 * what the option sets in a socket is looked up in one that was made with it, and set here. Where a Node does not have it
 * in this form, or a socket is no plain one (TLS), nothing is changed.
 *
 * "data" is not emitted afterwards; "end", "close", "error", `pause()` and `resume()` are as ever.
 *
 * @returns false when the socket has no such way: "data" tells as ever
 */
export function readInto(socket: Socket, { memory, arrived }: Reader): boolean {
  const handle = (socket as unknown as Fields)._handle;
  if (symbols === undefined || socket.constructor !== Socket || typeof handle?.useUserBuffer !== "function")
    return false;
  const fields = socket as unknown as Fields;
  const first = memory();
  fields[symbols.generate] = memory;
  fields[symbols.buffer] = first;
  fields[symbols.callback] = arrived;
  // From here on the memory must live as long as a read may fill it: the field above keeps it.
  handle.useUserBuffer(first);
  return true;
}

interface Symbols {
  readonly buffer: symbol;
  readonly generate: symbol;
  readonly callback: symbol;
}

const symbols = findSymbols();

function findSymbols(): Symbols | undefined {
  const memory = Buffer.alloc(1);
  const generate = () => memory;
  const callback = () => true;
  const find = (onread: { buffer: typeof generate | Uint8Array; callback: () => boolean }, value: unknown) => {
    const socket = new Socket({ onread } as object) as unknown as Fields;
    return Object.getOwnPropertySymbols(socket).find((symbol) => socket[symbol] === value);
  };
  const [buffer, generator, caller] = [
    find({ buffer: memory, callback }, memory),
    find({ buffer: generate, callback }, generate),
    find({ buffer: memory, callback }, callback),
  ];
  if (buffer === undefined || generator === undefined || caller === undefined) return undefined;
  return { buffer, generate: generator, callback: caller };
}
