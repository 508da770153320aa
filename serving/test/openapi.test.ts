import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openApiDocument } from "../src/openapi/document.ts";
import { identityModel } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

interface Media {
  readonly schema: AnySchema;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Readonly<{ content?: Readonly<Record<string, Media>>; $ref?: string }>>>;
}

interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;
    readonly responses: Readonly<Record<string, Operation["responses"][string]>>;
  };
}

const document = openApiDocument("1.2.3") as Document;

/** Checks values against schemas of the document. `strict` is off: OpenAPI's own keywords and formats are no JSON Schema. */
const ajv = new Ajv2020({ strict: false, formats: { binary: true } }).addSchema(document, "openapi.json");

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  (["get", "post"] as const).flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ path, method, operation }];
  }),
);

let server: ServerProcess;

beforeAll(async () => {
  const types = ["BOOL", "UINT8", "INT64", "FP32", "BYTES"] as const;
  const model = identityModel(types.map((type) => ({ name: type, type, shape: ["n"] })));
  server = await ServerProcess.serving(
    { "types/1/model.onnx": model, "types/2/model.onnx": model, "spare/1/model.onnx": model },
    ["--model-control", "explicit"],
  );
});

afterAll(() => server.stop());

test("is valid OpenAPI 3.1", async () => {
  const result = await new Validator().validate({ ...document });
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
});

test("says the server's version", () => {
  expect(document.info.version).toBe("1.2.3");
});

test("names every operation once, and by the same name for good", () => {
  expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual([
    "allStatistics",
    "console",
    "metrics",
    "modelConfig",
    "modelInfer",
    "modelLoad",
    "modelMetadata",
    "modelReady",
    "modelStatistics",
    "modelUnload",
    "modelVersionConfig",
    "modelVersionInfer",
    "modelVersionMetadata",
    "modelVersionReady",
    "modelVersionStatistics",
    "openApi",
    "repositoryIndex",
    "serverLive",
    "serverMetadata",
    "serverReady",
  ]);
});

test("every reference leads somewhere", () => {
  const references = JSON.stringify(document).match(/"\$ref":"[^"]*"/g) ?? [];
  const names = [...new Set(references)].map((text) => text.slice('"$ref":"#/components/'.length, -1).split("/"));
  const { schemas, responses } = document.components;
  for (const [kind, name = ""] of names) {
    expect(kind === "schemas" ? schemas : responses, `${kind}/${name}`).toHaveProperty(name);
  }
  const used = names.map(([, name]) => name);
  for (const name of [...Object.keys(schemas), ...Object.keys(responses)]) expect(used).toContain(name);
});

test("its examples are what its schemas describe", () => {
  const examples = Object.entries(document.components.schemas).flatMap(([name, { examples = [] }]) =>
    examples.map((example) => ({ name, example })),
  );
  expect(examples.length).toBeGreaterThan(2);
  for (const { name, example } of examples) expect(violations(`#/components/schemas/${name}`, example)).toBe("");
});

test.each([
  ["a datatype that there is not", { datatype: "FLOAT" }],
  ["a dimension below zero", { shape: [-1] }],
  ["a string in numbers", { data: ["1"] }],
  ["nested data of the wrong kind", { data: [[true]] }],
  ["no data", { data: undefined }],
])("its schema refuses %s", (_what, change) => {
  const input = { name: "x", datatype: "FP32", shape: [1], data: [[1]] };
  const check = (value: object) => violations("#/components/schemas/InferenceRequest", { inputs: [value] });
  expect(check(input)).toBe("");
  expect(check(JSON.parse(JSON.stringify({ ...input, ...change })))).not.toBe("");
});

/** What is wrong with a value by a schema of the document; empty when nothing is. */
function violations(pointer: string, value: unknown): string {
  const check = ajv.getSchema(`openapi.json${pointer}`) ?? ajv.compile({ $ref: `openapi.json${pointer}` });
  return check(value) ? "" : ajv.errorsText(check.errors);
}

const INPUTS = [
  { name: "BOOL", datatype: "BOOL", shape: [2], data: [true, false] },
  { name: "UINT8", datatype: "UINT8", shape: [2], data: [0, 255] },
  { name: "INT64", datatype: "INT64", shape: [2], data: [-1, 9_007_199_254_740_991] },
  { name: "FP32", datatype: "FP32", shape: [2], data: ["NaN", 0.5] },
  { name: "BYTES", datatype: "BYTES", shape: [2], data: ["", "naïve"] },
];

/** Requests whose answers are compared with what the document says of them. */
const REQUESTS = [
  ["GET", "/", "/", 200],
  ["GET", "/openapi.json", "/openapi.json", 200],
  ["GET", "/metrics", "/metrics", 200],
  ["GET", "/v2", "/v2", 200],
  ["GET", "/v2/health/live", "/v2/health/live", 200],
  ["GET", "/v2/health/ready", "/v2/health/ready", 200],
  ["GET", "/v2/models/{model}", "/v2/models/types", 200],
  ["GET", "/v2/models/{model}", "/v2/models/none", 404],
  ["GET", "/v2/models/{model}/versions/{version}", "/v2/models/types/versions/1", 200],
  ["GET", "/v2/models/{model}/versions/{version}", "/v2/models/types/versions/9", 404],
  ["GET", "/v2/models/{model}/ready", "/v2/models/types/ready", 200],
  ["GET", "/v2/models/{model}/versions/{version}/ready", "/v2/models/types/versions/2/ready", 200],
  ["GET", "/v2/models/{model}/config", "/v2/models/types/config", 200],
  ["GET", "/v2/models/{model}/versions/{version}/config", "/v2/models/types/versions/1/config", 200],
  ["POST", "/v2/models/{model}/infer", "/v2/models/types/infer", 200],
  ["POST", "/v2/models/{model}/versions/{version}/infer", "/v2/models/types/versions/1/infer", 200],
  ["GET", "/v2/models/stats", "/v2/models/stats", 200],
  ["GET", "/v2/models/{model}/stats", "/v2/models/types/stats", 200],
  ["GET", "/v2/models/{model}/versions/{version}/stats", "/v2/models/types/versions/1/stats", 200],
  ["POST", "/v2/repository/index", "/v2/repository/index", 200],
  ["POST", "/v2/repository/models/{model}/unload", "/v2/repository/models/spare/unload", 200],
  ["POST", "/v2/repository/index", "/v2/repository/index", 200],
  ["POST", "/v2/repository/models/{model}/load", "/v2/repository/models/spare/load", 200],
  ["POST", "/v2/repository/models/{model}/load", "/v2/repository/models/none/load", 404],
] as const;

test.each(REQUESTS)("%s %s is answered as described: %s, %i", async (method, path, target, status) => {
  const body = target.endsWith("/infer") ? JSON.stringify({ id: "1", inputs: INPUTS }) : undefined;
  const response = await fetch(server.url + target, { method, ...(body === undefined ? {} : { body }) });
  expect(response.status).toBe(status);
  await expectDescribed(path, method, response);
});

test("clients that may not load models are told as described", async () => {
  const model = identityModel([{ name: "x", type: "FP32", shape: [1] }]);
  const other = await ServerProcess.serving({ "m/1/model.onnx": model });
  onTestFinished(() => other.stop());
  const response = await fetch(`${other.url}/v2/repository/models/m/load`, { method: "POST" });
  expect(response.status).toBe(403);
  await expectDescribed("/v2/repository/models/{model}/load", "POST", response);
});

test("a request that does not fit the model is refused as described", async () => {
  const body = JSON.stringify({ inputs: INPUTS.slice(1) });
  const response = await fetch(`${server.url}/v2/models/types/infer`, { method: "POST", body });
  expect(response.status).toBe(400);
  await expectDescribed("/v2/models/{model}/infer", "POST", response);
});

test.each(operations.map(({ method, path }) => [method, path] as const))(
  "%s %s: its path refuses a method that is not described",
  async (method, path) => {
    const target = path.replace("{model}", "types").replace("{version}", "1");
    const response = await fetch(server.url + target, { method: "PUT" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")?.split(", ")).toContain(method.toUpperCase());
    await expectDescribed(path, method.toUpperCase(), response);
  },
);

/** Its status, media type and body are among those that the document has for the operation. */
async function expectDescribed(path: string, method: string, response: Response): Promise<void> {
  const name = method.toLowerCase();
  const described = document.paths[path]?.[name]?.responses[response.status];
  expect(described, `${method} ${path} ${response.status}`).toBeDefined();
  const pointer =
    described?.$ref ??
    `#/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${name}/responses/${response.status}`;
  const resolved = described?.$ref === undefined ? described : referred(described.$ref);
  if (resolved?.content === undefined) {
    expect(await response.text()).toBe("");
    return;
  }
  const mediaType = response.headers.get("content-type")?.split(";")[0] ?? "";
  expect(Object.keys(resolved.content)).toContain(mediaType);
  const value: unknown = mediaType === "application/json" ? await response.json() : await response.text();
  const schema = `${encodeURI(pointer)}/content/${mediaType.replace("/", "~1")}/schema`;
  expect(violations(schema, value)).toBe("");
}

function referred(reference: string): Operation["responses"][string] | undefined {
  return document.components.responses[reference.split("/").at(-1) ?? ""];
}
