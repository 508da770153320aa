import type { Dice } from "./dice.ts";
import type { Element } from "./elements.ts";

/** JSON that need not be valid: members in order, the same name twice if need be, and tokens as they are. */
export type JsonNode = ObjectNode | ArrayNode | TokenNode;

export interface ObjectNode {
  readonly members: [name: string, value: JsonNode][];
}

export interface ArrayNode {
  readonly items: JsonNode[];
}

export interface TokenNode {
  token: string;
}

export function token(value: string | number | boolean | null): TokenNode {
  return { token: JSON.stringify(value) };
}

export function object(members: Readonly<Record<string, JsonNode | undefined>>): ObjectNode {
  const present = Object.entries(members).filter((member): member is [string, JsonNode] => member[1] !== undefined);
  return { members: present };
}

export function array(items: readonly JsonNode[]): ArrayNode {
  return { items: [...items] };
}

/** The member of that name that came last. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node !== undefined && "members" in node ? node.members.findLast(([key]) => key === name)?.[1] : undefined;
}

/** Sets the member of that name, or adds it. */
export function setMember(node: ObjectNode, name: string, value: JsonNode): void {
  const found = node.members.find(([key]) => key === name);
  if (found === undefined) node.members.push([name, value]);
  else found[1] = value;
}

/** @param spaces what may stand between two tokens; white space, for the text to stay the same JSON */
export function write(node: JsonNode, spaces: () => string = () => ""): string {
  if ("token" in node) return spaces() + node.token + spaces();
  if ("items" in node) return `${spaces()}[${node.items.map((item) => write(item, spaces)).join(",")}]${spaces()}`;
  const members = node.members.map(
    ([name, value]) => `${spaces()}${JSON.stringify(name)}${spaces()}:${write(value, spaces)}`,
  );
  return `${spaces()}{${members.join(",")}}${spaces()}`;
}

/** White space as no client writes it. */
export function oddSpaces(dice: Dice): () => string {
  return () => (dice.oneIn(3) ? dice.pick([" ", "\n", "\t", "\r\n", "   "]) : "");
}

/** An element as JSON has it. */
export function elementToken(value: Element): TokenNode {
  if (typeof value === "bigint") return { token: String(value) };
  if (typeof value !== "number") return token(value);
  if (!Number.isFinite(value)) return token(String(value));
  return { token: Object.is(value, -0) ? "-0" : String(value) };
}

/** Elements as arrays in arrays. */
export function nested(elements: readonly JsonNode[], shape: readonly number[]): JsonNode {
  if (shape.length <= 1) return array(elements);
  const [rows = 0, ...rest] = shape;
  const width = rows === 0 ? 0 : elements.length / rows;
  return array(Array.from({ length: rows }, (_, row) => nested(elements.slice(row * width, (row + 1) * width), rest)));
}
