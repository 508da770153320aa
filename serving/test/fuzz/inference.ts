import type { Dice } from "./dice.ts";
import { type Element, element } from "./elements.ts";
import { MODELS, type Port } from "./fuzz-models.ts";

export interface TestTensor extends Port {
  readonly shape: readonly number[];
  /** In row-major order. */
  readonly elements: readonly Element[];
}

/** A valid inference, before it is written for a protocol. */
export interface Inference {
  readonly model: string;
  /** Undefined: the default version. */
  readonly version: string | undefined;
  readonly id: string | undefined;
  readonly inputs: readonly TestTensor[];
  /** Undefined: all. */
  readonly outputs: readonly string[] | undefined;
}

const NAMES = [...MODELS.keys()];
const IDS = [undefined, undefined, "1", "", "é🙂", '"\\\u0001', "i".repeat(200)];

/** @param among models to choose from */
export function inference(dice: Dice, among: readonly string[] = NAMES): Inference {
  // All datatypes at once is as likely as any one alone.
  const model = dice.oneIn(8) && among.includes("identity") ? "identity" : dice.pick(among);
  const { ports, rank } = MODELS.get(model) as NonNullable<ReturnType<typeof MODELS.get>>;
  const inputs = ports.map((port) => tensor(dice, port, rank ?? dice.between(0, 5)));
  const names = ports.map(({ name }) => `${name}_out`);
  const outputs = dice.oneIn(3) ? names.filter(() => dice.oneIn(2)) : undefined;
  return {
    model,
    version: dice.oneIn(4) ? "1" : undefined,
    id: dice.pick(IDS),
    // Clients may send them in any order.
    inputs: dice.oneIn(2) ? inputs : inputs.reverse(),
    outputs: outputs?.length === 0 ? undefined : outputs,
  };
}

function tensor(dice: Dice, port: Port, rank: number): TestTensor {
  const shape = Array.from({ length: rank }, () => dice.pick([0, 1, 1, 2, 2, 3, 5]));
  if (rank === 1 && dice.oneIn(20)) shape[0] = dice.between(500, 5_000);
  const count = shape.reduce((product, size) => product * size, 1);
  return { ...port, shape, elements: Array.from({ length: count }, () => element(dice, port.datatype)) };
}

/** The model's only tensor can be sent without a word about it: at most one dimension is open. */
export function rawInference(dice: Dice): Inference {
  const rows = NAMES.filter((name) => name.startsWith("row-") || name === "scalar");
  const whole = inference(dice, rows);
  const [input] = whole.inputs as readonly [TestTensor];
  if (input.datatype !== "BYTES") return { ...whole, id: undefined, outputs: undefined };
  const one = { ...input, shape: [1], elements: [element(dice, "BYTES")] };
  return { ...whole, id: undefined, outputs: undefined, inputs: [one] };
}
