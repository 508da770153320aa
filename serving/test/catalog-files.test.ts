import { createHash } from "node:crypto";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readStructure } from "../src/models/onnx-structure.ts";
import { additionModel, floatBytes, type Graph, onnxFile } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";
import { SETTINGS, TestCatalog } from "./test-catalog.ts";

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");
const MODEL = additionModel([1]);
/** Serves beside the model that is at fault, so that the catalog starts. */
const SOUND = { "sound/1/model.onnx": MODEL };

/** What the index says about version 1 of the model `m`, with these files in its folder. */
async function served(files: Readonly<Record<string, Buffer | string>>): Promise<string | undefined> {
  const test = await TestCatalog.started({
    ...SOUND,
    ...Object.fromEntries(Object.entries(files).map(([path, content]) => [`m/1/${path}`, content])),
  });
  return test.index()[0];
}

test("serves a file whose SHA-256 is the one that config.json gives", async () => {
  expect(await served({ "model.onnx": MODEL, "config.json": JSON.stringify({ sha256: sha256(MODEL) }) })).toBe(
    "m/1 READY",
  );
  const upper = JSON.stringify({ sha256: sha256(MODEL).toUpperCase() });
  expect(await served({ "model.onnx": MODEL, "config.json": upper })).toBe("m/1 READY");
});

test("the runtime never sees a file whose SHA-256 is another", async () => {
  const opened: string[] = [];
  const wrong = "0".repeat(64);
  const test = await TestCatalog.create(
    { "m/1/model.onnx": MODEL, "m/1/config.json": JSON.stringify({ sha256: wrong }) },
    { open: async ({ file }) => Promise.reject(new Error(String(opened.push(file)))) },
  );
  await expect(test.catalog.start()).rejects.toThrow(/has SHA-256 [0-9a-f]{64}, its config\.json wants 0{64}/);
  expect(opened).toEqual([]);
});

test("checks files beside model.onnx that config.json names", async () => {
  const weights = floatBytes([41]);
  const files = { "model.onnx": additionModel([41], "weights.bin"), "weights.bin": weights };
  const config = (digest: string) => ({ "config.json": JSON.stringify({ sha256: { "weights.bin": digest } }) });
  expect(await served({ ...files, ...config(sha256(weights)) })).toBe("m/1 READY");
  expect(await served({ ...files, ...config("f".repeat(64)) })).toMatch(
    /^m\/1 UNAVAILABLE: .*weights\.bin has SHA-256/,
  );
  const outside = JSON.stringify({ sha256: { "../../sound/1/model.onnx": sha256(MODEL) } });
  expect(await served({ ...files, "config.json": outside })).toMatch(/the path leads out of the folder/);
});

test("computes with weights from a file in the version's folder", async () => {
  const test = await TestCatalog.started({
    "m/1/model.onnx": additionModel([0], "sub/weights.bin"),
    "m/1/sub/weights.bin": floatBytes([41]),
  });
  expect(await test.answer("m")).toBe(41);
});

test.each([
  ["../2/weights.bin", "the path leads out of the folder"],
  ["sub/../weights.bin", "the path leads out of the folder"],
  ["..\\weights.bin", "the path leads out of the folder"],
  ["/etc/hostname", "the path is absolute"],
  ["", "this is no file's name"],
  ["weights\0.bin", "this is no file's name"],
  ["missing.bin", "it does not exist"],
  ["*/_ORT_MEM_ADDR_/*", "it does not exist"],
  ["sub", "it is not a file"],
])("refuses external data in '%s'", async (location, fault) => {
  const entry = await served({
    "model.onnx": additionModel([0], location),
    "weights.bin": floatBytes([1]),
    "sub/weights.bin": floatBytes([1]),
  });
  expect(entry).toContain("m/1 UNAVAILABLE: /m/1/model.onnx keeps tensors in");
  expect(entry).toContain(fault);
});

test("refuses a link to external data outside the version's folder", async () => {
  const test = await TestCatalog.create({
    ...SOUND,
    "m/1/model.onnx": additionModel([0], "weights.bin"),
    "secret.bin": floatBytes([1]),
  });
  symlinkSync("../../secret.bin", join(test.folder, "m/1/weights.bin"));
  await test.catalog.start();
  expect(test.index()[0]).toContain("the link leads out of the folder");
});

test("follows the links of a mounted volume, around a model's folder and inside a version's", async () => {
  const test = await TestCatalog.create({ "a/1/model.onnx": MODEL });
  const files = { "model.onnx": additionModel([0], "weights.bin"), "weights.bin": floatBytes([5]) };
  // A volume mounted as the repository: its top entries are links.
  mkdirSync(join(test.folder, "..2026/b/1"), { recursive: true });
  symlinkSync("..2026", join(test.folder, "..data"));
  symlinkSync("..data/b", join(test.folder, "b"));
  // A volume mounted as a version's folder: its files are links.
  mkdirSync(join(test.folder, "c/1/..2026"), { recursive: true });
  symlinkSync("..2026", join(test.folder, "c/1/..data"));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(test.folder, "..2026/b/1", name), content);
    writeFileSync(join(test.folder, "c/1/..2026", name), content);
    symlinkSync(`..data/${name}`, join(test.folder, "c/1", name));
  }
  await test.catalog.load("b");
  await test.catalog.load("c");
  expect(await test.answer("b")).toBe(5);
  expect(await test.answer("c")).toBe(5);
});

test("finds external data and operators in subgraphs, however deep", async () => {
  const value = { type: "FP32", shape: [1] } as const;
  const branch = (depth: number): Graph => ({
    nodes:
      depth === 0
        ? [{ operator: "Identity", inputs: ["deep"], outputs: ["out"] }]
        : [ifNode("out", branch(depth - 1), branch(depth - 1))],
    inputs: [],
    outputs: [{ name: "out", ...value }],
    initializers: depth === 0 ? [{ name: "deep", values: [1], location: "deep.bin" }] : [],
  });
  const file = onnxFile({
    nodes: [ifNode("y", branch(3), branch(3))],
    inputs: [{ name: "x", type: "BOOL", shape: [1] }],
    outputs: [{ name: "y", ...value }],
    initializers: [{ name: "top", values: [1], location: "top.bin" }],
  });
  const folder = temporaryFolder({ "model.onnx": file });
  const { externalLocations, operators } = await readStructure(join(folder, "model.onnx"));
  expect([...externalLocations].sort()).toEqual(["deep.bin", "top.bin"]);
  expect([...operators].sort()).toEqual(["Identity", "If"]);
});

test("a model that quantizes by the range of a whole tensor is not batched", async () => {
  const value = (name: string) => ({ name, type: "FP32", shape: ["n", 2] }) as const;
  // What is quantized here is not used: its rows show nothing.
  const file = onnxFile({
    nodes: [
      { operator: "DynamicQuantizeLinear", inputs: ["x"], outputs: ["quantized", "scale", "zero"] },
      { operator: "Identity", inputs: ["x"], outputs: ["y"] },
    ],
    inputs: [value("x")],
    outputs: [value("y")],
  });
  const settings = { ...SETTINGS, batching: "auto" } as const;
  const { catalog } = await TestCatalog.started({ "m/1/model.onnx": file }, { settings });
  expect(catalog.get("m").plan.maxBatchSize).toBe(1);
});

function ifNode(output: string, thenBranch: Graph, elseBranch: Graph) {
  const subgraphs = { then_branch: thenBranch, else_branch: elseBranch };
  return { operator: "If", inputs: ["x"], outputs: [output], subgraphs };
}

test("says that a truncated file is not the whole of one, wherever it ends", async () => {
  const whole = additionModel([1, 2, 3], "weights.bin");
  const folder = temporaryFolder();
  const path = join(folder, "model.onnx");
  for (let length = 1; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const outcome = await readStructure(path).catch((error: Error) => error.message);
    // Cut between two fields of the outermost message it is a shorter message, which the runtime judges.
    if (typeof outcome === "string")
      expect(outcome).toMatch(/it is no ONNX file, or not the whole of one \(byte \d+\)$/);
  }
  writeFileSync(path, whole);
  expect((await readStructure(path)).externalLocations).toEqual(["weights.bin"]);
});

test("bytes that are no ONNX are refused, whatever they are", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "model.onnx");
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >>> 16;
  };
  for (let round = 0; round < 300; round++) {
    writeFileSync(path, Buffer.from(Array.from({ length: 1 + (random() % 200) }, () => random() & 0xff)));
    const outcome = await readStructure(path).catch((error: Error) => error.name);
    expect(outcome === "ModelError" || typeof outcome === "object").toBe(true);
  }
});

test("a model that is changed while it is loaded is not served", async () => {
  const test = await TestCatalog.create(
    { ...SOUND, "m/1/model.onnx": MODEL },
    {
      open: async (file, settings, listen, warn) => {
        const { openModel } = await import("../src/execution/open-model.ts");
        const model = await openModel(file, settings, listen, warn);
        if (file.name === "m") {
          writeFileSync(`${file.file}.new`, additionModel([7]));
          renameSync(`${file.file}.new`, file.file);
        }
        return model;
      },
    },
  );
  await test.catalog.start();
  expect(test.index()[0]).toMatch(/^m\/1 UNAVAILABLE: the files in \/m\/1 changed since they were checked/);
});
