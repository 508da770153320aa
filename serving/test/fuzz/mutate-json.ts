import type { Dice } from "./dice.ts";
import type { RestRequest } from "./http-request.ts";
import {
  type ArrayNode,
  array,
  type JsonNode,
  member,
  type ObjectNode,
  object,
  setMember,
  token,
  write,
} from "./json-text.ts";
import type { Expectation } from "./oracle.ts";

/** What a change does to a valid request. */
export interface Change {
  readonly name: string;
  /** How the changed request may be answered. */
  readonly kind: Expectation["kind"];
  apply(dice: Dice, request: RestRequest): void;
}

/** Tokens that stand where something else belongs. Some are no JSON. */
const HOSTILE = [
  ...'null true false {} [] [[]] "" 0 -0 -1 1.5 1e400 -1e400 1e-400 1e999999999 9223372036854775808'.split(" "),
  ..."18446744073709551616 -9223372036854775809 9007199254740993 1e18 0.1e1 01 +1 .5 1. 1e - NaN Infinity".split(" "),
  ...'"NaN" "Infinity" "-Infinity" "nan" "1" undefined \' " {"a":1 [1,] [,1] {"a"} {"a":1,} "\\x" "\\u12"'.split(" "),
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ud83d\\ude00"',
  '"a\nb"',
  '"\u0000"',
  '{"__proto__":{"a":1}}',
  "//x\n1",
  "1 2",
];

const HUGE = [
  (length: number) => `"${"x".repeat(length)}"`,
  (length: number) => `"${"\\u0000".repeat(length / 6)}"`,
  (length: number) => "9".repeat(length),
  (length: number) => `0.${"0".repeat(length)}1`,
  (length: number) => `1e${"9".repeat(length)}`,
  (length: number) => `[${"0,".repeat(length / 2)}0]`,
  (length: number) => " ".repeat(length),
  (length: number) => `[${"[],".repeat(length / 3)}[]]`,
];

const DEEP = [
  (depth: number) => "[".repeat(depth) + "]".repeat(depth),
  (depth: number) => "[".repeat(depth),
  (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
];

/** Dimensions that none of the shapes here has. */
const WRONG_SIZES = ["-1", "1.5", "7", "1e3", "2147483648", "4294967296", "9007199254740991", "9007199254740992"];
const NO_SIZES = ["-1", "-9007199254740993", "1.5", "1e400", '"2"', "null", "[2]", "true", "9007199254740992"];

function entries({ json }: RestRequest): ObjectNode[] {
  return (member(json, "inputs") as ArrayNode).items as ObjectNode[];
}

function anyInput(dice: Dice, request: RestRequest): ObjectNode {
  const inputs = entries(request);
  if (inputs.length === 0) throw new Error("there is none");
  return dice.pick(inputs);
}

/** Where a value stands. */
interface Place {
  readonly value: JsonNode;
  put(value: JsonNode): void;
}

/** Every place of a value below this node. */
function places(node: JsonNode): Place[] {
  if ("token" in node) return [];
  const owners: [key: string | number, owner: Record<string | number, unknown>, value: JsonNode][] =
    "items" in node
      ? node.items.map((value, index) => [index, node.items as never, value])
      : node.members.map((entry) => [1, entry as never, entry[1]]);
  return owners.flatMap(([key, owner, value]) => {
    const put = (other: JsonNode) => {
      owner[key] = other;
    };
    return [{ value, put }, ...places(value)];
  });
}

function containers(node: JsonNode): (ObjectNode | ArrayNode)[] {
  if ("token" in node) return [];
  const children = "items" in node ? node.items : node.members.map(([, value]) => value);
  return [node, ...children.flatMap(containers)];
}

function listOf(node: ObjectNode | ArrayNode): unknown[] {
  return "items" in node ? node.items : node.members;
}

/** A change to one input, which makes the request invalid. */
function spoiled(name: string, spoil: (dice: Dice, input: ObjectNode, request: RestRequest) => void): Change {
  return { name, kind: "refused", apply: (dice, request) => spoil(dice, anyInput(dice, request), request) };
}

function valid(name: string, apply: Change["apply"]): Change {
  return { name, kind: "answered", apply };
}

function any(name: string, apply: Change["apply"]): Change {
  return { name, kind: "either", apply };
}

const parametersOf = (node: ObjectNode): ObjectNode => {
  const found = member(node, "parameters") ?? object({});
  setMember(node, "parameters", found);
  return found as ObjectNode;
};

const PARAMETERS = ["timeout", "priority", "binary_data", "binary_data_output", "binary_data_size", "classification"];
const MEMBERS = ["id", "inputs", "outputs", "parameters", "name", "datatype", "shape", "data", "", "__proto__"];

export const CHANGES: readonly Change[] = [
  spoiled(
    "no shape",
    (_, input) =>
      void input.members.splice(
        input.members.findIndex(([name]) => name === "shape"),
        1,
      ),
  ),
  spoiled("no datatype", (_, input) => setMember(input, "datatype", token("FP31"))),
  spoiled("another datatype", (_, input) => {
    const found = member(input, "datatype") as { token: string };
    found.token = found.token === '"INT8"' ? '"UINT8"' : '"INT8"';
  }),
  spoiled("a dimension that is none", (dice, input) => {
    (member(input, "shape") as ArrayNode).items.splice(0, 1, { token: dice.pick(NO_SIZES) });
  }),
  spoiled("a shape of a thousand dimensions", (_, input) => {
    setMember(input, "shape", array(Array.from({ length: 1000 }, () => token(1))));
  }),
  spoiled("the shape twice", (_, input) => void input.members.push(["shape", member(input, "shape") ?? token(1)])),
  spoiled("the name twice", (_, input) => void input.members.push(["name", token("x")])),
  spoiled("an unknown name", (dice, input) =>
    setMember(input, "name", token(dice.pick(["", "X", "x\0", "y".repeat(9_999)]))),
  ),
  spoiled("an input twice", (_, input, request) => void entries(request).push(input)),
  spoiled("no input", (_, __, request) => void entries(request).splice(0)),
  spoiled("a thousand inputs", (_, input, request) => {
    const one = write(input).length < 1_000 ? input : token(1);
    entries(request).push(...Array.from({ length: 1_000 }, () => structuredClone(one) as ObjectNode));
  }),
  spoiled("an output that the model lacks", (dice, _, { json }) => {
    setMember(json, "outputs", array([object({ name: token(dice.pick(["", "x", "x_out\0", "\ud800"])) })]));
  }),
  spoiled("an output twice", (_, __, { json }) => {
    const output = object({ name: token("x_out") });
    setMember(json, "outputs", array([output, output]));
  }),
  spoiled("classification", (_, __, { json }) => {
    const parameters = object({ classification: token(3) });
    setMember(json, "outputs", array([object({ name: token("x_out"), parameters })]));
  }),
  spoiled("a timeout that is none", (dice, _, { json }) => {
    setMember(parametersOf(json), "timeout", { token: dice.pick(["-1", '"1"', "null", "true", "[]", "-1e400"]) });
  }),
  spoiled("long parameters", (_, __, { json }) => setMember(parametersOf(json), "x", token("x".repeat(70_000)))),
  spoiled("inputs twice", (_, __, { json }) => void json.members.push(["inputs", member(json, "inputs") ?? token(1)])),
  any("two dimensions more", (dice, request) => {
    (member(anyInput(dice, request), "shape") as ArrayNode).items.push(token(2), token(3));
  }),
  any("a dimension of another size", (dice, request) => {
    const { items } = member(anyInput(dice, request), "shape") as ArrayNode;
    const { token: size } = { token: dice.pick(WRONG_SIZES) };
    if (items.length > 0) items.splice(dice.below(items.length), 1, { token: size });
  }),
  any("an element that is none", (dice, request) => {
    const data = member(anyInput(dice, request), "data");
    const places_ = data === undefined ? [] : places(data);
    if (places_.length > 0) dice.pick(places_).put({ token: dice.pick(HOSTILE) });
  }),
  any("an element more or less", (dice, request) => {
    const data = member(anyInput(dice, request), "data");
    if (data === undefined || !("items" in data)) return;
    if (dice.oneIn(2)) data.items.pop();
    else data.items.push(data.items[0] ?? token(0));
  }),
  any("another binary_data_size", (dice, request) => {
    const size = dice.pick(["0", "1", "-1", "3", "1.5", "9007199254740991", "1e400", '"4"', "null", "1048576"]);
    setMember(parametersOf(anyInput(dice, request)), "binary_data_size", { token: size });
  }),
  any("a hostile parameter", (dice, request) => {
    const owner = dice.oneIn(2) ? request.json : anyInput(dice, request);
    setMember(parametersOf(owner), dice.pick(PARAMETERS), { token: dice.pick(HOSTILE) });
  }),
  any("a short timeout", (dice, { json }) => {
    setMember(parametersOf(json), "timeout", { token: dice.pick(["1", "0.001", "1e-300", "1000", "0", "1e300"]) });
  }),
  any("a hostile value", (dice, { json }) => dice.pick(places(json)).put({ token: dice.pick(HOSTILE) })),
  any("a huge value", (dice, { json }) => {
    dice.pick(places(json)).put({ token: dice.pick(HUGE)(dice.pick([1_000, 100_000, 1_100_000])) });
  }),
  any("a deep value", (dice, { json }) => {
    dice.pick(places(json)).put({ token: dice.pick(DEEP)(dice.pick([33, 60, 65, 2_000, 100_000])) });
  }),
  any("something left out", (dice, { json }) => {
    const list = listOf(dice.pick(containers(json)));
    if (list.length > 0) list.splice(dice.below(list.length), 1);
  }),
  any("something twice", (dice, { json }) => {
    const list = listOf(dice.pick(containers(json)));
    if (list.length > 0) list.splice(dice.below(list.length), 0, dice.pick(list));
  }),
  any("two values exchanged", (dice, { json }) => {
    const [one, other] = [dice.pick(places(json)), dice.pick(places(json))];
    const kept = one.value;
    one.put(structuredClone(other.value));
    other.put(structuredClone(kept));
  }),
  any("a member renamed", (dice, { json }) => {
    const list = listOf(dice.pick(containers(json).filter((node) => "members" in node))) as [string, JsonNode][];
    if (list.length > 0) dice.pick(list)[0] = dice.pick(MEMBERS);
  }),
  valid("a member that nobody knows", (dice, { json, ...request }) => {
    const owner = dice.oneIn(2) ? json : anyInput(dice, { json, ...request });
    const value = dice.pick(['"\\ud800"', "[[[]]]", "{}", "null", "1e400", '{"inputs":[1]}']);
    owner.members.splice(dice.below(owner.members.length + 1), 0, ["nobody knows it", { token: value }]);
  }),
  valid("parameters that nobody knows", (_, { json }) => setMember(parametersOf(json), "nobody", token("knows it"))),
];
