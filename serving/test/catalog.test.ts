import { expect, test } from "vitest";
import { openModel } from "../src/execution/open-model.ts";
import type { CatalogOptions } from "../src/models/catalog.ts";
import { ProtocolError } from "../src/protocol/error.ts";
import { additionModel } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";
import { LogRecord, SETTINGS, TestCatalog } from "./test-catalog.ts";

const BROKEN = "this is no ONNX file";

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.status} ${error.message}`;
    throw error;
  }
  return "none";
}

test("a fault in one model leaves the others serving, and the server not ready", async () => {
  const test = await TestCatalog.started({
    "good/1/model.onnx": additionModel([1]),
    "broken/1/model.onnx": BROKEN,
    "bare/readme.txt": "",
    "missing/1/config.json": "{}",
    "wishes/1/model.onnx": additionModel([1]),
    "wishes/config.json": '{"batch": true}',
  });
  expect(await test.answer("good")).toBe(1);
  expect(test.index()).toEqual([
    "bare/ UNAVAILABLE: the model folder /bare has no version: expected /bare/1/model.onnx",
    expect.stringMatching(/^broken\/1 UNAVAILABLE: cannot serve \/broken\/1\/model\.onnx: it is no ONNX file/),
    "good/1 READY",
    "missing/1 UNAVAILABLE: cannot read /missing/1/model.onnx: it does not exist",
    expect.stringMatching(/^wishes\/ UNAVAILABLE: \/wishes\/config\.json: unknown key 'batch'/),
  ]);
  expect(test.catalog.allReady()).toBe(false);
  expect(test.catalog.models().map(({ name }) => name)).toEqual(["good"]);
  expect(test.log.messages("error")).toEqual(Array(4).fill("cannot serve model"));
});

test("a fault in one version leaves the model's other versions serving, and the server not ready", async () => {
  const test = await TestCatalog.started({
    "m/9/model.onnx": BROKEN,
    "m/10/model.onnx": additionModel([1]),
    "m/11/model.onnx": BROKEN,
  });
  expect(await test.answer("m")).toBe(1);
  expect(test.catalog.versions("m")).toEqual(["10"]);
  expect(test.catalog.isReady("m")).toBe(true);
  expect(test.catalog.isReady("m", "11")).toBe(false);
  expect(test.catalog.index().map(({ version, state }) => `${version} ${state}`)).toEqual([
    "9 UNAVAILABLE",
    "10 READY",
    "11 UNAVAILABLE",
  ]);
  expect(test.catalog.allReady()).toBe(false);
});

test("a server none of whose models can be served does not start, and says why of each", async () => {
  const test = await TestCatalog.create({ "a/1/model.onnx": BROKEN, "b/readme.txt": "" });
  const message = /^cannot serve model 'a': version 1: .*no ONNX file.*; cannot serve model 'b': .* has no version/;
  await expect(test.catalog.start()).rejects.toThrow(message);
});

test("a repository that is empty is no repository", async () => {
  await expect(TestCatalog.create({})).rejects.toThrow(/is empty/);
});

test("serves the highest version unless one is asked for", async () => {
  const test = await TestCatalog.started({
    "m/9/model.onnx": additionModel([9]),
    "m/10/model.onnx": additionModel([10]),
  });
  expect(await test.answer("m")).toBe(10);
  expect(await test.answer("m", "9")).toBe(9);
  expect(test.catalog.versions("m")).toEqual(["9", "10"]);
  expect(test.catalog.allReady()).toBe(true);
});

test.each([
  ['{"versionPolicy": {"latest": 1}}', ["3"]],
  ['{"versionPolicy": {"latest": 2}}', ["2", "3"]],
  ['{"versionPolicy": {"specific": [1, 3]}}', ["1", "3"]],
  ['{"versionPolicy": {"all": true}}', ["1", "2", "3"]],
])("under %s it serves versions %j", async (config, versions) => {
  const test = await TestCatalog.started({
    "m/config.json": config,
    "m/1/model.onnx": additionModel([1]),
    "m/2/model.onnx": additionModel([2]),
    "m/3/model.onnx": additionModel([3]),
  });
  expect(test.catalog.versions("m")).toEqual(versions);
  expect(test.catalog.allReady()).toBe(true);
});

test("a version that the policy names and that is not there is a fault", async () => {
  const test = await TestCatalog.started({
    "m/config.json": '{"versionPolicy": {"specific": [1, 2]}}',
    "m/1/model.onnx": additionModel([1]),
  });
  expect(test.index()[1]).toBe("m/2 UNAVAILABLE: cannot read /m/2/model.onnx: it does not exist");
  expect(test.catalog.allReady()).toBe(false);
});

test("says whether a name is unknown or its model is not in service", async () => {
  const test = await TestCatalog.started({
    "m/1/model.onnx": additionModel([1]),
    "m/2/model.onnx": BROKEN,
    "n/1/model.onnx": BROKEN,
  });
  const { catalog } = test;
  expect(refusal(() => catalog.get("x"))).toBe("404 there is no model 'x'; this server has: m, n");
  expect(refusal(() => catalog.isReady("x"))).toBe("404 there is no model 'x'; this server has: m, n");
  expect(refusal(() => catalog.versions("x"))).toBe("404 there is no model 'x'; this server has: m, n");
  expect(refusal(() => catalog.get("m", "3"))).toBe("404 model 'm' has no version '3'; it has: 1, 2");
  expect(refusal(() => catalog.isReady("m", "01"))).toBe("404 model 'm' has no version '01'; it has: 1, 2");
  expect(refusal(() => catalog.get("m", "2"))).toMatch(/^503 model 'm' version 2 is not in service: .*no ONNX file/);
  expect(refusal(() => catalog.get("n"))).toMatch(/^503 model 'n' version 1 is not in service: .*no ONNX file/);
  expect(catalog.isReady("n")).toBe(false);
  await expect(catalog.load("../m")).rejects.toThrow("the model repository has no model '../m'");
  await expect(catalog.unload("x")).rejects.toThrow("there is no model 'x'");
});

test("while it loads, a model is answered with a time to try again", async () => {
  const test = await TestCatalog.create({ "m/1/model.onnx": additionModel([1]) });
  expect(refusal(() => test.catalog.get("m"))).toBe("503 model 'm' is still loading, try again");
  expect(refusal(() => test.catalog.get("m", "1"))).toBe("503 model 'm' is still loading, try again");
  expect(() => test.catalog.get("m")).toThrow(expect.objectContaining({ headers: { "retry-after": "1" } }));
  expect(test.catalog.isReady("m")).toBe(false);
  expect(test.catalog.allReady()).toBe(false);
  expect(test.index()).toEqual(["m/ LOADING"]);
});

test("a start that is stopped loads no more models", async () => {
  const stop = new AbortController();
  const opened: string[] = [];
  const test = await TestCatalog.create(
    { "a/1/model.onnx": additionModel([1]), "b/1/model.onnx": additionModel([1]) },
    {
      open: (file, ...rest) => {
        opened.push(file.name);
        stop.abort();
        return openModel(file, ...rest);
      },
    },
  );
  await test.catalog.start(stop.signal);
  expect(opened).toEqual(["a"]);
});

test("config.json changes how its model is run, and no other", async () => {
  const seen: Record<string, unknown> = {};
  const open: CatalogOptions["open"] = (file, settings, ...rest) => {
    seen[`${file.name}/${file.version}`] = settings;
    return openModel(file, settings, ...rest);
  };
  await TestCatalog.started(
    {
      "a/1/model.onnx": additionModel([1]),
      "b/1/model.onnx": additionModel([1]),
      "b/config.json": '{"queueLimit": 3, "execution": {"intraOpThreads": 2}, "warmUp": {"shapes": {"x": [1]}}}',
    },
    { open },
  );
  expect(seen["a/1"]).toEqual(SETTINGS);
  expect(seen["b/1"]).toEqual({ ...SETTINGS, queueLimit: 3, intraOpThreads: 2, warmUpShapes: { x: [1] } });
});

test("warm-up shapes for an input that the model lacks are refused", async () => {
  const test = await TestCatalog.create({
    "m/1/model.onnx": additionModel([1]),
    "m/1/config.json": '{"warmUp": {"shapes": {"X": [1]}}}',
  });
  await expect(test.catalog.start()).rejects.toThrow(
    "warmUp.shapes names 'X' in config.json, the model's inputs are: x",
  );
});

test("a model that does not run on zeros is served, and that is logged", async () => {
  const test = await TestCatalog.started({
    "m/1/model.onnx": additionModel([1, 2]),
    "m/1/config.json": '{"warmUp": {"shapes": {"x": [3]}}}',
  });
  expect(test.index()).toEqual(["m/1 READY"]);
  expect(test.log.messages("warn")).toEqual(["warm-up failed, served without"]);
});

test("when everything is closed, requests in flight were answered and new ones are refused", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  const inFlight = Array.from({ length: 20 }, () => test.answer("m"));
  await test.catalog.close();
  expect(await Promise.all(inFlight)).toEqual(Array(20).fill(1));
  expect(refusal(() => test.catalog.get("m"))).toBe("503 model 'm' version 1 is not in service: it is being unloaded");
  await expect(test.catalog.load("m")).rejects.toThrow("the server is stopping");
});

test("the repository's own fault is told with its path", async () => {
  const folder = `${temporaryFolder()}/nowhere`;
  const options = { repository: folder, log: new LogRecord() };
  await expect(TestCatalog.create({}, options)).rejects.toThrow(
    `cannot read the model repository ${folder}: it does not`,
  );
});
