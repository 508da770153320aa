/**
 * The limit of any HTTP server on Node: reads each request's body and answers with the same bytes, whatever was asked.
 *
 * Run as `node echo.ts PORT FILE`; FILE holds the answer's body.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [port, file] = process.argv.slice(2);
if (port === undefined || file === undefined) throw new Error("usage: node echo.ts PORT FILE");
const body = readFileSync(file);
const headers = { "content-type": "application/json", "content-length": body.length };

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(200, headers);
    response.end(body);
  });
}).listen(Number(port), "127.0.0.1");
