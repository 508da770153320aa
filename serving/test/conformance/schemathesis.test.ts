// needs: conformance
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openApiDocument } from "../../src/openapi/document.ts";
import { DATATYPES } from "../../src/tensor/tensor.ts";
import { identityModel } from "../onnx-file.ts";
import { temporaryFolder } from "../server-process.ts";
import { commandOf } from "./python.ts";
import { serve } from "./subject.ts";

/** Holds for every run: the same requests each time, and every check that schemathesis has. */
const SETTINGS = `
continue-on-failure = true
request-timeout = 10
[phases]
stateful.enabled = false # No operation answers with something that another one takes.
[generation]
deterministic = true
no-shrink = true
[parameters]
"path.model" = "mixed"
"path.version" = "1"
[checks]
enabled = true
`;

/** What a description of any model cannot say: whether a tensor fits this one. */
const ANY_TENSOR = `
[[operations]]
include-operation-id = ["modelInfer", "modelVersionInfer"]
checks.positive_data_acceptance.expected-statuses = [200, 400]
[[operations]]
include-operation-id = ["modelLoad", "modelUnload"]
parameters = { "path.model" = "spare" }
`;

const ONLY_ACCEPTED = `
[checks.positive_data_acceptance]
expected-statuses = [200]
`;

/** All of them: one that cannot be read would else be left out in silence. */
const OPERATIONS = 20;
/** A run takes 15 to 55 s on two busy cores. */
const ATTACK_MS = 100_000;
const BUDGET_MS = ATTACK_MS + 30_000;

test(
  "nothing that the server's own description allows or forbids is answered otherwise than it describes",
  async () => {
    const { rest } = await serve(repository(), { MODEL_CONTROL: "explicit" });
    const options = ["--max-examples", "30"];
    const { code, output } = await attack(`http://${rest}/openapi.json`, SETTINGS + ANY_TENSOR, options);
    expect(code, output).toBe(0);
    expect(output).toContain(`Tested: ${OPERATIONS}`);
    expect(Number(/(\d+) generated, \1 passed/.exec(output)?.[1]), output).toBeGreaterThan(1_000);
  },
  BUDGET_MS,
);

test(
  "every inference that fits both the server's own description and the model succeeds",
  async () => {
    const { rest } = await serve(repository());
    const url = `http://${rest}`;
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Description;
    const description = join(temporaryFolder({ "fitting.json": JSON.stringify(fitting(document)) }), "fitting.json");
    const options = ["--url", url, "--mode", "positive", "--max-examples", "150"];
    const { code, output } = await attack(description, SETTINGS + ONLY_ACCEPTED, options);
    expect(code, output).toBe(0);
    expect(Number(/(\d+) generated, \1 passed/.exec(output)?.[1]), output).toBeGreaterThan(100);
  },
  BUDGET_MS,
);

/**
 * What the protocol says of each operation: its statuses, and what is always in its answer. Facts of the protocol's REST
 * specification, whose own OpenAPI file cannot be run against any server: the templates of its paths have a stray `$`.
 *
 * @see https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
const PROTOCOL = [
  ["get", "/v2", [200, 400], ["name", "version", "extensions"]],
  ["get", "/v2/health/live", [200], ["live"]],
  // Its text has `live` here too, a slip: servers and clients have `ready`, and KServe's client reads that.
  ["get", "/v2/health/ready", [200], ["ready"]],
  ["get", "/v2/models/{model}", [200, 400], ["name", "platform", "inputs", "outputs"]],
  ["get", "/v2/models/{model}/versions/{version}", [200, 400], ["name", "platform", "inputs", "outputs"]],
  ["get", "/v2/models/{model}/ready", [200], ["name", "ready"]],
  ["get", "/v2/models/{model}/versions/{version}/ready", [200], ["name", "ready"]],
  ["post", "/v2/models/{model}/infer", [200, 400], ["model_name", "outputs"]],
  ["post", "/v2/models/{model}/versions/{version}/infer", [200, 400], ["model_name", "outputs"]],
] as const;

test.each(PROTOCOL)("the description has the protocol's %s %s", (method, path, statuses, always) => {
  const { [method]: operation, parameters = [] } = OURS.paths[path] ?? {};
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true }));
  expect(parameters).toMatchObject(named);
  for (const status of statuses) {
    const schema = resolved(resolved(operation?.responses[status])?.content?.["application/json"]?.schema);
    expect(schema?.required, `${status}`).toEqual(expect.arrayContaining(status === 200 ? [...always] : ["error"]));
  }
});

test("the description has of a tensor in an answer what the protocol has", () => {
  const { TensorMetadata, TensorOutput } = OURS.components.schemas;
  expect(TensorMetadata?.required).toEqual(expect.arrayContaining(["name", "datatype", "shape"]));
  for (const each of TensorOutput?.oneOf ?? expect.fail("no outputs")) {
    expect(resolved(each)?.required).toEqual(expect.arrayContaining(["name", "shape", "datatype", "data"]));
  }
});

test("the description asks no more of an inference than the protocol does", () => {
  const { InferenceRequest, TensorInput } = OURS.components.schemas;
  expect(InferenceRequest?.required).toEqual(["inputs"]);
  expect(InferenceRequest?.properties?.outputs?.items?.required).toEqual(["name"]);
  const inputs = (TensorInput?.oneOf ?? expect.fail("no inputs")).map(resolved);
  for (const input of inputs) expect(input?.required?.toSorted()).toEqual(["data", "datatype", "name", "shape"]);
  const datatypes = inputs.flatMap((input) => input?.properties?.datatype?.enum ?? []);
  expect(datatypes.toSorted()).toEqual(DATATYPES.toSorted());
});

interface Schema {
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly string[];
}

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

type Operation = { readonly responses: Readonly<Record<number, Answer>> };

interface Item {
  readonly get?: Operation;
  readonly post?: Operation;
  readonly parameters?: readonly object[];
}

interface Description {
  readonly paths: Readonly<Record<string, Item>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Answer>>;
  };
}

const OURS = openApiDocument("1.2.3") as Description;

/** What a reference of the description leads to. */
function resolved<T extends { readonly $ref?: string }>(node: T | undefined): T | undefined {
  const [, kind, name = ""] = /^#\/components\/(schemas|responses)\/(.*)$/.exec(node?.$ref ?? "") ?? [];
  if (kind === undefined) return node;
  return OURS.components[kind as "schemas" | "responses"][name] as T | undefined;
}

/** The inference of a description, narrowed to what the model `mixed` takes in JSON. */
function fitting({ paths, components, ...document }: Description): object {
  const tensor = (name: string, datatype: string, element: object) => ({
    type: "object",
    required: ["name", "datatype", "shape", "data"],
    properties: {
      name: { const: name },
      datatype: { const: datatype },
      shape: { const: [2] },
      data: { type: "array", minItems: 2, maxItems: 2, items: element },
      parameters: { $ref: "#/components/schemas/InputParameters" },
    },
  });
  const tensors = [
    tensor("flag", "BOOL", { type: "boolean" }),
    tensor("count", "INT64", { type: "integer", minimum: -(2 ** 62), maximum: 2 ** 62 }),
    tensor("weight", "FP64", { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] }),
    tensor("word", "BYTES", { type: "string", pattern: "^[^\\u0000]*$" }),
  ];
  const parameters = (...names: string[]) => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "boolean" }])),
  });
  const output = {
    type: "object",
    required: ["name"],
    properties: { name: { enum: ["flag_out", "word_out"] }, parameters: parameters("binary_data") },
  };
  const request = {
    type: "object",
    required: ["inputs"],
    properties: {
      id: { type: "string" },
      inputs: { type: "array", prefixItems: tensors, items: false, minItems: tensors.length },
      outputs: { type: "array", items: output, maxItems: 1 },
      parameters: parameters("binary_data_output"),
    },
  };
  const path = "/v2/models/{model}/infer";
  const { post, ...item } = paths[path] ?? expect.fail(`${path} is not described`);
  const requestBody = { required: true, content: { "application/json": { schema: request } } };
  return { ...document, components, paths: { [path]: { ...item, post: { ...post, parameters: [], requestBody } } } };
}

function repository(): string {
  const row = (name: string, type: "BOOL" | "INT64" | "FP64" | "BYTES") => ({ name, type, shape: [2] });
  const mixed = identityModel([
    row("flag", "BOOL"),
    row("count", "INT64"),
    row("weight", "FP64"),
    row("word", "BYTES"),
  ]);
  return temporaryFolder({ "mixed/1/model.onnx": mixed, "spare/1/model.onnx": mixed });
}

/** Sends what it makes of a description of the interface, and says what it found. */
function attack(
  description: string,
  settings: string,
  options: readonly string[],
): Promise<{ readonly code: unknown; readonly output: string }> {
  const folder = temporaryFolder({ "schemathesis.toml": settings });
  const program = commandOf("conformance", "schemathesis");
  const words = ["--config-file", join(folder, "schemathesis.toml"), "run", description, "--no-color", ...options];
  // It leaves files where it runs, and takes settings and proxies from the environment.
  const surroundings = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } };
  return new Promise((resolve) => {
    execFile(program, words, { ...surroundings, timeout: ATTACK_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), output: stdout + stderr }),
    );
  });
}
