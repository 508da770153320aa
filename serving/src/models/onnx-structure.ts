import { open } from "node:fs/promises";
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
  | "operator"
  | "sparse tensor"
  | "tensor"
  | "training info";

/**
 * Fields that lead to tensors and to the operators of nodes, by number: subgraphs, functions, sparse and default tensors too.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: "graph", 20: "training info", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse tensor" },
  node: { 4: "operator", 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor" },
  function: { 7: "node", 11: "attribute" },
  "training info": { 1: "graph", 2: "graph" },
  "sparse tensor": { 1: "tensor", 2: "tensor" },
  tensor: { 13: "entry" },
  entry: {},
  operator: {},
};

/** A key and a path: more is no path of a file system. */
const MAX_ENTRY_BYTES = 8 * 1024;
/** Longer names are none of an operator that is known. */
const MAX_OPERATOR_BYTES = 100;
/** Graphs in attributes of nodes in graphs: no model comes near, and the runtime gives up at 100. */
const MAX_DEPTH = 200;

/** What an ONNX file says of itself outside its tensors. */
export interface OnnxStructure {
  /** The files beside it that its tensors lie in, as it names them, each once. */
  readonly externalLocations: readonly string[];
  /** What its nodes do, by the operators' names without their domain. */
  readonly operators: ReadonlySet<string>;
}

/**
 * Reads the structure of an ONNX file, not its tensors.
 *
 * @throws ModelError when the file cannot be read or is no ONNX
 */
export async function readStructure(path: string): Promise<OnnxStructure> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new ModelError(`cannot read ${path}: ${fileFault(error)}`);
  });
  try {
    return await walk(new ProtobufFile(handle, (await handle.stat()).size));
  } catch (error) {
    if (error instanceof ProtobufFault) throw new ModelError(`cannot serve ${path}: ${error.message}`);
    throw error;
  } finally {
    await handle.close();
  }
}

async function walk(file: ProtobufFile): Promise<OnnxStructure> {
  const locations = new Set<string>();
  const operators = new Set<string>();
  const around: { readonly message: Message; readonly end: number }[] = [];
  let message: Message = "model";
  let end = file.size;
  let position = 0;
  for (;;) {
    while (position === end) {
      const outer = around.pop();
      if (outer === undefined) return { externalLocations: [...locations], operators };
      ({ message, end } = outer);
    }
    const loading = file.prepare(position);
    if (loading !== undefined) await loading;
    const field = file.readField(position, end);
    const inner: Message | undefined = FIELDS[message][field.number];
    position = field.end;
    if (inner === undefined) continue;
    if (inner === "operator") {
      if (field.end - field.start > MAX_OPERATOR_BYTES) continue;
      operators.add((await file.read(field.start, field.end)).toString("utf8"));
      continue;
    }
    if (inner === "entry") {
      const location = await readLocation(file, field.start, field.end);
      if (location !== undefined) locations.add(location);
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
