import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RepositoryPoll } from "../src/models/repository-poll.ts";
import { additionModel } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

type Files = Readonly<Record<string, Buffer | string>>;

/** A started catalog and its poll, which has looked often enough to know everything. */
async function polled(files: Files): Promise<TestCatalog & { readonly poll: RepositoryPoll }> {
  const test = await TestCatalog.started(files);
  const poll = new RepositoryPoll(test.folder, test.catalog, test.log);
  await poll.look();
  await poll.look();
  return Object.assign(test, { poll });
}

test("what did not change is not loaded again", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  const model = test.catalog.get("m");
  for (let look = 0; look < 3; look++) await test.poll.look();
  expect(test.catalog.get("m")).toBe(model);
  expect(test.log.messages("info")).toEqual(["model loaded"]);
});

test("a changed file is loaded once it is seen twice the same", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "m/1/model.onnx": additionModel([2]) });
  await test.poll.look();
  expect(await test.answer("m")).toBe(1);
  await test.poll.look();
  expect(await test.answer("m")).toBe(2);
});

test("a file that grows from look to look waits", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  for (const size of [1, 2, 3]) {
    test.write({ "m/2/model.onnx": "x".repeat(size) });
    await test.poll.look();
  }
  expect(test.log.messages("error")).toEqual([]);
  test.write({ "m/2/model.onnx": additionModel([2]) });
  await test.poll.look();
  await test.poll.look();
  expect(await test.answer("m")).toBe(2);
});

test("a version without its model.onnx yet leaves the others as they are, until the file is there", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  const model = test.catalog.get("m");
  mkdirSync(join(test.folder, "m/2"));
  for (let look = 0; look < 4; look++) await test.poll.look();
  expect(test.catalog.get("m")).toBe(model);
  expect(test.index()[1]).toBe("m/2 UNAVAILABLE: cannot read /m/2/model.onnx: it does not exist");
  expect(test.log.messages("error")).toHaveLength(1);
  test.write({ "m/2/model.onnx": additionModel([2]) });
  await test.poll.look();
  await test.poll.look();
  expect(await test.answer("m")).toBe(2);
  // Version 1 did not change: it is the very one.
  expect(test.catalog.get("m", "1")).toBe(model);
});

test("a model that appears is served, one that vanishes is not", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "n/1/model.onnx": additionModel([2]) });
  await test.poll.look();
  await test.poll.look();
  expect(await test.answer("n")).toBe(2);
  test.remove("m");
  await test.poll.look();
  expect(await test.answer("m")).toBe(1);
  await test.poll.look();
  expect(test.index()).toEqual(["n/1 READY"]);
  expect(() => test.catalog.get("m")).toThrow("there is no model 'm'; this server has: n");
});

test("a version that vanishes is taken out of service, and a model with its last version", async () => {
  const test = await polled({
    "m/1/model.onnx": additionModel([1]),
    "m/2/model.onnx": additionModel([2]),
    "n/1/model.onnx": additionModel([3]),
  });
  test.remove("m/2");
  await test.poll.look();
  await test.poll.look();
  expect(test.index()).toEqual(["m/1 READY", "n/1 READY"]);
  test.remove("m/1");
  await test.poll.look();
  await test.poll.look();
  expect(test.index()).toEqual(["n/1 READY"]);
});

test("a failed reload is tried again only after the next change", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  test.write({ "m/1/model.onnx": "broken" });
  for (let look = 0; look < 5; look++) await test.poll.look();
  expect(test.log.messages("error")).toEqual(["reload failed, the model is served as it was"]);
  expect(await test.answer("m")).toBe(1);
  test.write({ "m/1/model.onnx": additionModel([2]) });
  await test.poll.look();
  await test.poll.look();
  expect(await test.answer("m")).toBe(2);
  expect(test.index()).toEqual(["m/1 READY"]);
});

test.each([
  ["the repository", "", "m/1/"],
  ["a version's folder", "m/1/", ""],
])("a volume mounted as %s is changed by the link that is turned", async (_where, mount, inside) => {
  const test = await TestCatalog.create({
    [`${mount}..one/${inside}model.onnx`]: additionModel([1]),
    [`${mount}..two/${inside}model.onnx`]: additionModel([2]),
    "keep/1/model.onnx": additionModel([0]),
  });
  const at = (path: string) => join(test.folder, mount, path);
  symlinkSync("..one", at("..data"));
  const top = inside === "" ? "model.onnx" : "m";
  symlinkSync(`..data/${top}`, at(top));
  await test.catalog.load("m");
  const poll = new RepositoryPoll(test.folder, test.catalog, test.log);
  for (let look = 0; look < 2; look++) await poll.look();
  expect(await test.answer("m")).toBe(1);
  symlinkSync("..two", at("..next"));
  renameSync(at("..next"), at("..data"));
  for (let look = 0; look < 2; look++) await poll.look();
  expect(await test.answer("m")).toBe(2);
});

test("a repository that is gone or empty for a while costs nobody a model", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  renameSync(test.folder, `${test.folder}.away`);
  for (let look = 0; look < 3; look++) await test.poll.look();
  mkdirSync(test.folder);
  for (let look = 0; look < 3; look++) await test.poll.look();
  expect(await test.answer("m")).toBe(1);
  // Once for each reason, not for each look.
  expect(test.log.messages("error")).toEqual(Array(2).fill("cannot poll the model repository"));
  rmSync(test.folder, { recursive: true });
  renameSync(`${test.folder}.away`, test.folder);
});

test("a model that was unloaded by request stays unloaded, whatever happens to its folder", async () => {
  const test = await polled({ "m/1/model.onnx": additionModel([1]) });
  await test.catalog.unload("m");
  test.write({ "m/1/model.onnx": additionModel([2]) });
  for (let look = 0; look < 3; look++) await test.poll.look();
  expect(test.index()).toEqual(["m/1 UNAVAILABLE: unloaded"]);
  await test.catalog.load("m");
  expect(await test.answer("m")).toBe(2);
  test.write({ "m/1/model.onnx": additionModel([3]) });
  for (let look = 0; look < 2; look++) await test.poll.look();
  expect(await test.answer("m")).toBe(3);
});

test("looks again only when a look is over, and no more once it is stopped", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1]) });
  const poll = new RepositoryPoll(test.folder, test.catalog, test.log);
  const timers: { readonly task: () => void; readonly milliseconds: number; cancelled: boolean }[] = [];
  const stop = poll.every(5000, (task, milliseconds) => {
    const timer = { task, milliseconds, cancelled: false };
    timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  });
  expect(timers).toMatchObject([{ milliseconds: 5000, cancelled: false }]);
  timers[0]?.task();
  expect(timers).toHaveLength(1);
  while (timers.length < 2) await new Promise(setImmediate);
  await stop();
  expect(timers[1]?.cancelled).toBe(true);
  timers[1]?.task();
  await stop();
  expect(timers).toHaveLength(2);
});
