import { expect, test } from "vitest";
import { openModel } from "../src/execution/open-model.ts";
import type { CatalogOptions } from "../src/models/catalog.ts";
import type { OpenModel } from "../src/models/open-version.ts";
import { additionModel } from "./onnx-file.ts";
import { inferSum, TestCatalog } from "./test-catalog.ts";

/** The real one, which counts what is open, and waits at a gate when there is one. */
function watchedOpen(): {
  readonly open: OpenModel;
  readonly state: { opened: number; closed: number; most: number; gate?: Promise<void> };
} {
  const state: { opened: number; closed: number; most: number; gate?: Promise<void> } = {
    opened: 0,
    closed: 0,
    most: 0,
  };
  const open: OpenModel = async (...args) => {
    await state.gate;
    const model = await openModel(...args);
    state.opened++;
    state.most = Math.max(state.most, state.opened - state.closed);
    const close = model.close.bind(model);
    model.close = async () => {
      await close();
      state.closed++;
    };
    return model;
  };
  return { open, state };
}

test("loading again serves the new file", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "m/1/model.onnx": additionModel([2]), "m/2/model.onnx": additionModel([3]) });
  await test.catalog.load("m");
  expect(await test.answer("m", "1")).toBe(2);
  expect(await test.answer("m")).toBe(3);
});

test("a model that appears in the repository can be loaded", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "n/1/model.onnx": additionModel([5]) });
  await expect(test.catalog.load("n")).resolves.toBeUndefined();
  expect(await test.answer("n")).toBe(5);
});

test("the old versions go on being served when a new one fails, and the index says why", async () => {
  const { open, state } = watchedOpen();
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) }, { open });
  const old = test.catalog.get("m");
  test.write({ "m/1/model.onnx": additionModel([2]), "m/2/model.onnx": "broken" });
  await expect(test.catalog.load("m")).rejects.toMatchObject({
    status: 400,
    message: expect.stringMatching(/^cannot serve model 'm': version 2: .*no ONNX file/),
  });
  expect(test.catalog.get("m")).toBe(old);
  expect(await test.answer("m")).toBe(1);
  expect(test.catalog.allReady()).toBe(true);
  expect(test.index()).toEqual([
    expect.stringMatching(
      /^m\/1 READY: serves what was loaded before, for the last reload failed: version 2: .*no ONNX/,
    ),
    expect.stringMatching(/^m\/2 UNAVAILABLE: .*no ONNX file/),
  ]);
  // What was loaded for nothing was freed.
  expect(state.opened - state.closed).toBe(1);
  test.write({ "m/2/model.onnx": additionModel([3]) });
  await test.catalog.load("m");
  expect(test.index()).toEqual(["m/1 READY", "m/2 READY"]);
  expect(await test.answer("m", "1")).toBe(2);
});

test("a config.json that becomes wrong leaves the model as it was", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "m/config.json": "{" });
  await expect(test.catalog.load("m")).rejects.toThrow(/config\.json is not valid JSON/);
  expect(await test.answer("m")).toBe(1);
  expect(test.index()).toEqual([expect.stringMatching(/^m\/1 READY: .*config\.json is not valid JSON/)]);
});

test("a model that was broken at the start makes the server ready once it is mended", async () => {
  const test = await TestCatalog.started({ "a/1/model.onnx": additionModel([1]), "m/1/model.onnx": "broken" });
  expect(test.catalog.allReady()).toBe(false);
  test.write({ "m/1/model.onnx": additionModel([1]) });
  await test.catalog.load("m");
  expect(test.catalog.allReady()).toBe(true);
});

test("a broken model that is added later does not make the server unready", async () => {
  const test = await TestCatalog.started({ "a/1/model.onnx": additionModel([1]) });
  test.write({ "m/1/model.onnx": "broken" });
  await expect(test.catalog.load("m")).rejects.toThrow("no ONNX file");
  expect(test.catalog.allReady()).toBe(true);
});

test("requests in flight on the old version finish on it, and new ones meet no gap", async () => {
  const { open, state } = watchedOpen();
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) }, { open });
  const answers: Promise<number>[] = [];
  for (let round = 2; round < 12; round++) {
    test.write({ "m/1/model.onnx": additionModel([round]) });
    let loaded = false;
    const loading = test.catalog.load("m").then(() => {
      loaded = true;
    });
    while (!loaded) {
      answers.push(test.answer("m"));
      await new Promise(setImmediate);
    }
    await loading;
    expect(await test.answer("m")).toBe(round);
  }
  const sums = await Promise.all(answers);
  expect(sums.length).toBeGreaterThan(20);
  // Each answer is a whole model's, and none is older than one before it.
  expect(sums).toEqual([...sums].sort((one, other) => one - other));
  await test.catalog.close();
  expect(state.opened - state.closed).toBe(0);
});

test("loads and unloads of one model follow each other, and never more than two copies are open", async () => {
  const { open, state } = watchedOpen();
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) }, { open });
  const { catalog } = test;
  const calls = Array.from({ length: 12 }, (_, index) => (index % 4 === 3 ? catalog.unload("m") : catalog.load("m")));
  await Promise.all(calls);
  expect(test.index()).toEqual(["m/1 UNAVAILABLE: unloaded"]);
  expect(state).toMatchObject({ opened: 10, closed: 10, most: 2 });
});

test("one model's load does not wait for another's", async () => {
  const gate = Promise.withResolvers<void>();
  const open: CatalogOptions["open"] = async (file, ...rest) => {
    if (file.name === "slow" && file.version === "2") await gate.promise;
    return openModel(file, ...rest);
  };
  const test = await TestCatalog.started(
    { "slow/1/model.onnx": additionModel([1]), "quick/1/model.onnx": additionModel([1]) },
    { open },
  );
  test.write({ "slow/2/model.onnx": additionModel([2]), "quick/1/model.onnx": additionModel([5]) });
  const slow = test.catalog.load("slow");
  await test.catalog.load("quick");
  expect(await test.answer("quick")).toBe(5);
  expect(await test.answer("slow")).toBe(1);
  expect(test.index()).toEqual(["quick/1 READY", "slow/1 READY", "slow/2 LOADING"]);
  gate.resolve();
  await slow;
  expect(await test.answer("slow")).toBe(2);
});

test("an unloaded model is not in service until it is loaded again, and does not make the server unready", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  const model = test.catalog.get("m");
  const inFlight = Array.from({ length: 10 }, (_, x) => inferSum(model, x));
  const unloading = test.catalog.unload("m");
  await Promise.all(inFlight);
  await unloading;
  expect(await Promise.all(inFlight)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(test.index()).toEqual(["m/1 UNAVAILABLE: unloaded"]);
  expect(() => test.catalog.get("m")).toThrow("model 'm' version 1 is not in service: unloaded");
  expect(test.catalog.isReady("m")).toBe(false);
  expect(test.catalog.allReady()).toBe(true);
  expect(test.catalog.models()).toEqual([]);
  await test.catalog.unload("m");
  await test.catalog.load("m");
  expect(await test.answer("m")).toBe(1);
});

test("a model that was broken at the start holds up nobody once it is unloaded", async () => {
  const test = await TestCatalog.started({ "a/1/model.onnx": additionModel([1]), "m/1/model.onnx": "broken" });
  await test.catalog.unload("m");
  expect(test.catalog.allReady()).toBe(true);
  expect(test.index()).toEqual(["a/1 READY", "m/ UNAVAILABLE: unloaded"]);
});

test("a version whose policy ends is taken out of service", async () => {
  const test = await TestCatalog.started({
    "m/1/model.onnx": additionModel([1]),
    "m/2/model.onnx": additionModel([2]),
  });
  test.write({ "m/config.json": '{"versionPolicy": {"latest": 1}}' });
  await test.catalog.load("m");
  expect(test.index()).toEqual(["m/2 READY"]);
  expect(() => test.catalog.get("m", "1")).toThrow("model 'm' has no version '1'; it has: 2");
});

test("what is loaded once the server has started is loaded beside requests", async () => {
  const seen: boolean[] = [];
  const open: OpenModel = (file, ...rest) => {
    seen.push(file.whileServing);
    return openModel(file, ...rest);
  };
  const test = await TestCatalog.started(
    { "a/1/model.onnx": additionModel([1]), "b/1/model.onnx": additionModel([1]) },
    { open },
  );
  await test.catalog.load("a");
  test.write({ "b/1/model.onnx": additionModel([2]) });
  await test.catalog.refresh("b");
  expect(seen).toEqual([false, false, true, true]);
});
