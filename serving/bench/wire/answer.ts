import { type Datatype, elementsOf, type Sample, type Tensor } from "../samples.ts";
import { buffersOf, numbersOf, readFields } from "./protobuf.ts";
import { isRpc, type Way } from "./request.ts";

/** The answer's body, and the length of its JSON when the header says it. */
export interface WireAnswer {
  readonly body: Buffer;
  readonly jsonLength?: number;
}

type Outputs = ReadonlyMap<string, readonly number[]>;

/** Servers compute on the same runtime; what remains is how they write a float. */
const TOLERANCE = 1e-5;

/** What is wrong with an answer to the sample's request; undefined when nothing is. */
export function faultOf(sample: Sample, way: Way, answer: WireAnswer): string | undefined {
  let outputs: Outputs;
  try {
    outputs = outputsOf(sample, way, answer);
  } catch (error) {
    return `the answer cannot be read: ${(error as Error).message}`;
  }
  for (const wanted of sample.outputs) {
    const fault = compare(wanted, outputs.get(wanted.name));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function compare(wanted: Tensor, given: readonly number[] | undefined): string | undefined {
  if (given === undefined) return `output '${wanted.name}' is missing`;
  const right = elementsOf(wanted);
  if (given.length !== right.length) return `output '${wanted.name}' has ${given.length} elements, not ${right.length}`;
  const wrong = right.findIndex((value, index) => !isClose(value, given[index] ?? Number.NaN));
  return wrong < 0 ? undefined : `output '${wanted.name}'[${wrong}] is ${given[wrong]}, not ${right[wrong]}`;
}

function isClose(wanted: number, given: number): boolean {
  return Math.abs(wanted - given) <= TOLERANCE * (1 + Math.abs(wanted));
}

function outputsOf(sample: Sample, way: Way, answer: WireAnswer): Outputs {
  if (isRpc(way)) return fromMessage(answer.body);
  if (way === "raw") {
    const [only] = sample.outputs;
    return new Map(only ? [[only.name, elementsOf({ ...only, bytes: answer.body })]] : []);
  }
  return fromRest(answer);
}

interface RestOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}

function fromRest({ body, jsonLength = body.length }: WireAnswer): Outputs {
  const { outputs } = JSON.parse(body.toString("utf8", 0, jsonLength)) as { outputs: RestOutput[] };
  let at = jsonLength;
  return new Map(
    outputs.map(({ name, datatype, shape, data, parameters }) => {
      if (data !== undefined) return [name, data.flat(Number.POSITIVE_INFINITY) as number[]];
      const from = at;
      at += parameters?.binary_data_size ?? 0;
      return [name, elementsOf({ datatype, shape, bytes: body.subarray(from, at) })];
    }),
  );
}

/** `ModelInferResponse`: raw contents, or the typed contents of each output. */
function fromMessage(body: Buffer): Outputs {
  const response = readFields(body);
  const raw = buffersOf(response, 6);
  return new Map(
    buffersOf(response, 5).map((message, index) => {
      const output = readFields(message);
      const [name = "", datatype = ""] = [1, 2].map((field) => buffersOf(output, field)[0]?.toString() ?? "");
      const bytes = raw[index];
      if (bytes !== undefined)
        return [name, elementsOf({ datatype: datatype as Datatype, shape: numbersOf(output, 3), bytes })];
      return [name, typedContents(buffersOf(output, 5)[0] ?? Buffer.alloc(0), datatype as Datatype)];
    }),
  );
}

/** `InferTensorContents`: int_contents 2, int64_contents 3, fp32_contents 6. */
function typedContents(message: Buffer, datatype: Datatype): number[] {
  const contents = readFields(message);
  if (datatype !== "FP32") return numbersOf(contents, datatype === "INT32" ? 2 : 3);
  const bytes = Buffer.concat(buffersOf(contents, 6));
  return elementsOf({ datatype, shape: [bytes.length / 4], bytes });
}
