/** Where the runtime's own source is named, and in it a function with its parameters. */
const SOURCE = /\/onnxruntime_src\/\S+(?: [\w:~<>,&* ]*::[\w~<>:]+\([^)]*\)(?: const)?)?\s*/g;
const NODE = /while running (\w+) node\. Name:'([^']*)'/;
const EXHAUSTED = /bad_alloc|failed to allocate|out of memory/i;

/** The runtime could not compute a model for the inputs that it was given. */
export class RunError extends Error {
  override readonly name = "RunError";
  /** The operator that failed, such as `Gather 'lookup'`: the message may quote the inputs' data, this does not. */
  readonly operator: string;
  /** Memory ran out, which other inputs of the same size might have had. */
  readonly isExhausted: boolean;

  /** @param text what the runtime says, on one line */
  constructor(text: string) {
    super(text.replace(SOURCE, "").trim());
    const [, operator, node] = NODE.exec(text) ?? [];
    this.operator = operator === undefined ? "before any operator" : node ? `${operator} '${node}'` : operator;
    this.isExhausted = EXHAUSTED.test(text);
  }
}
