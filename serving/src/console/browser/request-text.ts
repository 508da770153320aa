/** One input of a request. */
export interface InputText {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** JSON, sent as it was written: a parser would round 64-bit numbers. */
  readonly data: string;
}

/**
 * The body of an inference request.
 *
 * @param outputs the outputs wanted; all when empty
 */
export function requestText(inputs: readonly InputText[], outputs: readonly string[]): string {
  const tensors = inputs.map(({ name, datatype, shape, data }) => {
    const head = `"name": ${JSON.stringify(name)}, "datatype": ${JSON.stringify(datatype)}`;
    return `    {${head}, "shape": ${JSON.stringify(shape)}, "data": ${data.trim().replace(/\n/g, "\n    ")}}`;
  });
  const wanted = outputs.length === 0 ? "" : `,\n  "outputs": ${JSON.stringify(outputs.map((name) => ({ name })))}`;
  return `{\n  "inputs": [\n${tensors.join(",\n")}\n  ]${wanted}\n}`;
}

/** Longer bodies go into a file: a shell takes no line of any length, and nobody reads it. */
export const LONGEST_INLINE_BODY = 4_000;

/**
 * The same request as a `curl` command for a POSIX shell. A token is never part of it: it stands as `$TOKEN`.
 */
export function curlText(url: string, body: string, withToken: boolean): string {
  const data = body.length > LONGEST_INLINE_BODY ? "@request.json" : quoted(body);
  const token = withToken ? `  --header "Authorization: Bearer $TOKEN" \\\n` : "";
  const headers = `  --header 'Content-Type: application/json' \\\n${token}`;
  return `curl ${quoted(url)} \\\n${headers}  --data-binary ${data}`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
