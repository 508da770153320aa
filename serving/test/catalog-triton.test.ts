import { expect, test } from "vitest";
import type { Model } from "../src/models/model.ts";
import { modelConfig } from "../src/protocol/model-config.ts";
import { checkRepositoryParameters, repositoryIndex } from "../src/protocol/repository.ts";
import { statisticsOf } from "../src/protocol/statistics.ts";
import { additionModel, identityModel } from "./onnx-file.ts";
import { SETTINGS, TestCatalog } from "./test-catalog.ts";

test("statistics count what a model did since it was loaded, in whole nanoseconds", async () => {
  const test = await TestCatalog.started({
    "m/1/model.onnx": additionModel([1]),
    "n/2/model.onnx": additionModel([1]),
  });
  const before = Date.now();
  for (let request = 0; request < 3; request++) await test.answer("m");
  const wrong = { name: "x", datatype: "FP32", shape: [2], data: new Float32Array(2) } as const;
  const options = { outputs: ["y"], deadline: Number.POSITIVE_INFINITY };
  await expect(test.catalog.get("m").infer([wrong], options)).rejects.toThrow();
  const answer = statisticsOf(test.catalog.models());
  const [m, n] = answer.model_stats;
  expect(m).toMatchObject({ name: "m", version: "1", inference_count: 3, execution_count: 3 });
  expect(m?.last_inference).toBeGreaterThanOrEqual(before);
  const { success, fail, ...rest } = m?.inference_stats ?? {};
  expect([success?.count, fail?.count]).toEqual([3, 1]);
  expect(Object.entries(rest).map(([name, { count }]) => `${name} ${count}`)).toEqual([
    "queue 3",
    "compute_input 3",
    "compute_infer 3",
    "compute_output 3",
    "cache_hit 0",
    "cache_miss 0",
  ]);
  expect(success?.ns).toBeGreaterThan(0);
  expect(JSON.stringify(answer)).not.toMatch(/"ns":\d*\./);
  expect(m?.batch_stats.map(({ batch_size, compute_infer }) => [batch_size, compute_infer.count])).toEqual([[1, 3]]);
  expect(n).toMatchObject({ name: "n", version: "2", last_inference: 0, inference_count: 0, batch_stats: [] });
});

test("batches are listed by rising size", () => {
  const duration = { count: 1, ns: 1.4 };
  const batch = { computeInput: duration, computeInfer: duration, computeOutput: duration };
  const statistics = {
    ...{ lastInference: 1.6, inferenceCount: 0, executionCount: 0 },
    ...{ success: duration, fail: duration, queue: duration, ...batch },
    batches: new Map([
      [16, batch],
      [2, batch],
    ]),
  };
  const [entry] = statisticsOf([{ name: "m", version: "1", statistics } as unknown as Model]).model_stats;
  expect(entry?.batch_stats.map(({ batch_size }) => batch_size)).toEqual([2, 16]);
  expect(entry?.batch_stats[0]?.compute_infer).toEqual({ count: 1, ns: 1 });
  expect(entry?.last_inference).toBe(2);
});

test("the configuration of a model with a batch dimension leaves that dimension out", async () => {
  const file = identityModel([
    { name: "a", type: "FP32", shape: ["N", 4] },
    { name: "b", type: "BYTES", shape: ["N"] },
  ]);
  const test = await TestCatalog.started({ "m/3/model.onnx": file }, { settings: { ...SETTINGS, batching: "auto" } });
  const config = modelConfig(test.catalog.get("m"));
  expect(config).toMatchObject({
    name: "m",
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    version_policy: { specific: { versions: [3] } },
    input: [
      { name: "a", data_type: "TYPE_FP32", dims: [4] },
      { name: "b", data_type: "TYPE_STRING", dims: [] },
    ],
    output: [
      { name: "a_out", data_type: "TYPE_FP32", dims: [4] },
      { name: "b_out", data_type: "TYPE_STRING", dims: [] },
    ],
    instance_group: [{ name: "m_inline", kind: "KIND_CPU", count: 1 }],
  });
  expect(config.max_batch_size).toBeGreaterThanOrEqual(1);
});

test("the configuration of a model without one keeps all dimensions, and says that it takes no batches", async () => {
  const test = await TestCatalog.started({ "m/1/model.onnx": additionModel([1, 2]) });
  const config = modelConfig(test.catalog.get("m"));
  expect(config).toMatchObject({ max_batch_size: 0, input: [{ name: "x", dims: [2] }], output: [{ dims: [2] }] });
  expect(config.dynamic_batching).toBeUndefined();
});

test("the repository index tells the ready ones apart, and names no version where none is known", async () => {
  const test = await TestCatalog.started({ "a/1/model.onnx": additionModel([1]), "b/readme.txt": "" });
  const index = test.catalog.index();
  expect(repositoryIndex(index, true)).toEqual([{ name: "a", version: "1", state: "READY", reason: "" }]);
  expect(repositoryIndex(index, false)[1]).toEqual({
    name: "b",
    state: "UNAVAILABLE",
    reason: expect.stringContaining("has no version"),
  });
});

test("what a client sends in place of the repository is refused, what changes nothing is taken", () => {
  expect(() => checkRepositoryParameters("load", ["config"])).toThrow(
    "load takes no parameter 'config'; models are loaded as they lie in the repository",
  );
  expect(() => checkRepositoryParameters("load", ["unload_dependents"])).toThrow("load takes no parameter");
  expect(() => checkRepositoryParameters("unload", ["x"])).toThrow("unload takes no parameter 'x'");
  expect(() => checkRepositoryParameters("unload", ["unload_dependents"])).not.toThrow();
  expect(() => checkRepositoryParameters("load", [])).not.toThrow();
});
