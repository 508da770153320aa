import type { Socket } from "node:net";
import { type Answer, bodyLength } from "./exchange.ts";
import { STATUS_CODES } from "./node-http.ts";

let second = 0;
let date = "";

/** RFC 9110, section 6.6.1; made once a second. */
function dateHeader(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    date = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return date;
}

/**
 * Writes an answer to a socket: text in one piece with its head, bytes from where they lie.
 *
 * @param close whether the connection ends after it
 * @returns false when the socket wants to drain first
 */
export function writeAnswer(socket: Socket, answer: Answer, close: boolean): boolean {
  const { body } = answer;
  const head = headText(answer, close);
  if (typeof body === "string") return socket.write(head + body, "latin1");
  const parts = body instanceof Uint8Array ? [body] : body;
  const [first, ...rest] = parts;
  socket.cork();
  let flowing = typeof first === "string" ? socket.write(head + first, "latin1") : socket.write(head, "latin1");
  for (const part of typeof first === "string" ? rest : parts) {
    flowing = typeof part === "string" ? socket.write(part, "latin1") : socket.write(part);
  }
  socket.uncork();
  return flowing;
}

function headText(answer: Answer, close: boolean): string {
  const { status, contentType, headers } = answer;
  let head = status === 200 ? "HTTP/1.1 200 OK\r\n" : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  head += `Content-Type: ${contentType}\r\nContent-Length: ${bodyLength(answer)}\r\n${dateHeader()}`;
  if (headers !== undefined) for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  return close ? `${head}Connection: close\r\n\r\n` : `${head}\r\n`;
}
