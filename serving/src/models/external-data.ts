import { open, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { quote } from "../protocol/signature.ts";
import { ModelError } from "./error.ts";
import { fileFault } from "./file-fault.ts";
import { ProtobufFault, ProtobufFile } from "./protobuf-file.ts";

type Message =
  | "attribute"
  | "entry"
  | "function"
  | "graph"
  | "model"
  | "node"
  | "sparse tensor"
  | "tensor"
  | "training info";

/**
 * Fields that lead to tensors, by number: subgraphs, functions, sparse and default tensors too.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: "graph", 20: "training info", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse tensor" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor" },
  function: { 7: "node", 11: "attribute" },
  "training info": { 1: "graph", 2: "graph" },
  "sparse tensor": { 1: "tensor", 2: "tensor" },
  tensor: { 13: "entry" },
  entry: {},
};

/** A key and a path: more is no path of a file system. */
const MAX_ENTRY_BYTES = 8 * 1024;
/** Graphs in attributes of nodes in graphs: no model comes near, and the runtime gives up at 100. */
const MAX_DEPTH = 200;

/**
 * The files beside an ONNX file that its tensors lie in, as it names them, each once. It reads the structure of the file,
 * not its tensors.
 *
 * @throws ModelError when the file cannot be read or is no ONNX
 */
export async function externalLocations(path: string): Promise<string[]> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ModelError(`cannot read ${path}: ${fileFault(error)}`);
  });
  try {
    return await locations(new ProtobufFile(handle, (await handle.stat()).size));
  } catch (error) {
    if (error instanceof ProtobufFault) throw new ModelError(`cannot serve ${path}: ${error.message}`);
    throw error;
  } finally {
    await handle.close();
  }
}

async function locations(file: ProtobufFile): Promise<string[]> {
  const found = new Set<string>();
  const around: { readonly message: Message; readonly end: number }[] = [];
  let message: Message = "model";
  let end = file.size;
  let position = 0;
  for (;;) {
    while (position === end) {
      const outer = around.pop();
      if (outer === undefined) return [...found];
      ({ message, end } = outer);
    }
    const loading = file.prepare(position);
    if (loading !== undefined) await loading;
    const field = file.readField(position, end);
    const inner: Message | undefined = FIELDS[message][field.number];
    position = field.end;
    if (inner === undefined) continue;
    if (inner === "entry") {
      const location = await readLocation(file, field.start, field.end);
      if (location !== undefined) found.add(location);
      continue;
    }
    if (around.length >= MAX_DEPTH) throw new ProtobufFault(`its graphs are nested deeper than ${MAX_DEPTH} levels`);
    around.push({ message, end });
    message = inner;
    position = field.start;
    end = field.end;
  }
}

/** The value of an `external_data` entry (StringStringEntryProto) whose key is `location`. */
async function readLocation(file: ProtobufFile, start: number, end: number): Promise<string | undefined> {
  if (end - start > MAX_ENTRY_BYTES) throw new ProtobufFault(`it has an external_data entry of ${end - start} bytes`);
  let key = "";
  let value = "";
  for (let position = start; position < end; ) {
    await file.prepare(position);
    const field = file.readField(position, end);
    const text = async () => (await file.read(field.start, field.end)).toString("utf8");
    if (field.number === 1) key = await text();
    else if (field.number === 2) value = await text();
    position = field.end;
  }
  return key === "location" ? value : undefined;
}

/**
 * Holds an ONNX file to its own folder: whatever it names must lie there, links followed. The runtime refuses most of this
 * too; this does not depend on it.
 *
 * @param path the ONNX file
 * @param named files that it names, from {@link externalLocations}
 * @throws ModelError that names the file that lies elsewhere or is missing
 */
export async function checkContained(path: string, named: readonly string[]): Promise<void> {
  const folder = dirname(path);
  // A mounted volume is full of links that stay in it (`..data`): both sides are compared without them.
  const inside = (await realpath(folder)) + sep;
  for (const location of named) {
    const fault = await faultOf(folder, inside, location);
    if (fault !== undefined) throw new ModelError(`${path} keeps tensors in ${quote(location)}: ${fault}`);
  }
}

async function faultOf(folder: string, inside: string, location: string): Promise<string | undefined> {
  const remedy = `external data must lie in ${folder}`;
  if (location === "" || location.includes("\0")) return `this is no file's name; ${remedy}`;
  if (isAbsolute(location)) return `the path is absolute; ${remedy}`;
  if (location.split(/[/\\]/).includes("..")) return `the path leads out of the folder; ${remedy}`;
  try {
    const real = await realpath(join(folder, location));
    if (!real.startsWith(inside)) return `the link leads out of the folder; ${remedy}`;
    return (await stat(real)).isFile() ? undefined : "it is not a file";
  } catch (error) {
    return fileFault(error as NodeJS.ErrnoException);
  }
}
