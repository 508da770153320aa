import { expect, test } from "vitest";
import { readModelConfig, readVersionConfig } from "../src/models/model-config.ts";
import { selectVersions } from "../src/models/version-policy.ts";
import { temporaryFolder } from "./server-process.ts";

const DIGEST = "0123456789abcdef".repeat(4);

async function read(config: object | string) {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return readModelConfig(temporaryFolder({ "config.json": text }));
}

test("a model without config.json is served as the server says, in all its versions", async () => {
  expect(await readModelConfig(temporaryFolder())).toEqual({ versionPolicy: { kind: "all" }, execution: {} });
});

test("config.json overrides only what it names", async () => {
  const config = await read({
    versionPolicy: { latest: 2 },
    execution: { mode: "workers", workers: 3 },
    batching: { maxBatchSize: 16 },
    queueLimit: 7,
    warmUp: { shapes: { x: [1, 64] } },
    emptyTensors: true,
  });
  expect(config).toEqual({
    versionPolicy: { kind: "latest", count: 2 },
    execution: {
      mode: "workers",
      workers: 3,
      maxBatchSize: 16,
      queueLimit: 7,
      warmUpShapes: { x: [1, 64] },
      emptyTensors: true,
    },
  });
  expect((await read({ batching: { mode: "off" } })).execution).toEqual({ batching: "off" });
});

test.each([
  [{ kind: "all" } as const, ["2", "9", "10"]],
  [{ kind: "latest", count: 2 } as const, ["9", "10"]],
  [{ kind: "latest", count: 5 } as const, ["2", "9", "10"]],
  [{ kind: "specific", versions: ["2", "3"] } as const, ["2", "3"]],
])("the policy %j selects %j of the versions 2, 9 and 10", (policy, selected) => {
  expect(selectVersions(policy, ["2", "9", "10"])).toEqual(selected);
});

test("specific versions are taken by rising number and once", async () => {
  const { versionPolicy } = await read({ versionPolicy: { specific: [10, 9, 10] } });
  expect(versionPolicy).toEqual({ kind: "specific", versions: ["9", "10"] });
});

test.each([
  [{ batch: {} }, /config\.json: unknown key 'batch', expected one of: versionPolicy, execution, batching/],
  [{ execution: { Mode: "inline" } }, /unknown key 'execution\.Mode', expected one of: mode, workers, intraOpThreads$/],
  [{ execution: { workers: "4" } }, /execution\.workers is "4", expected a whole number from 1 to 256$/],
  [{ execution: { mode: "gpu" } }, /execution\.mode is "gpu", expected "auto" or "inline" or "workers"$/],
  [{ queueLimit: 0.5 }, /queueLimit is 0\.5, expected a whole number/],
  [{ batching: "off" }, /batching is "off", expected an object$/],
  [{ warmUp: { shapes: { x: [1, -1] } } }, /warmUp\.shapes\.x\[1\] is -1, expected a whole number from 1/],
  [{ warmUp: { shapes: { x: [0] } } }, /warmUp\.shapes\.x\[0\] is 0, expected a whole number from 1/],
  [{ emptyTensors: 1 }, /emptyTensors is 1, expected true or false$/],
  [{ warmUp: { shapes: { x: 3 } } }, /warmUp\.shapes\.x is 3, expected an array$/],
  [{ versionPolicy: { latest: 1, all: true } }, /versionPolicy needs exactly one of: \{"latest": 2\}/],
  [{ versionPolicy: {} }, /versionPolicy needs exactly one of/],
  [{ versionPolicy: { specific: [] } }, /versionPolicy\.specific is an array, expected at least one version number$/],
  [{ versionPolicy: { specific: [0] } }, /versionPolicy\.specific\[0\] is 0, expected a whole number from 1/],
  [{ sha256: DIGEST }, /sha256 belongs to one version: write it into the config\.json of that version's folder$/],
  [[], /config\.json: the document is an array, expected an object$/],
  ["{", /config\.json is not valid JSON: /],
])("refuses %j and says why", async (config, message) => {
  await expect(read(config)).rejects.toThrow(message);
});

test("a version's config.json holds the digest of model.onnx, or of several files", async () => {
  const one = await readVersionConfig(temporaryFolder({ "config.json": JSON.stringify({ sha256: DIGEST }) }));
  expect(one).toEqual({ sha256: new Map([["model.onnx", DIGEST]]), execution: {} });
  const files = { sha256: { "model.onnx": DIGEST, "weights.bin": DIGEST }, warmUp: { shapes: { x: [2] } } };
  const several = await readVersionConfig(temporaryFolder({ "config.json": JSON.stringify(files) }));
  expect([...several.sha256.keys()]).toEqual(["model.onnx", "weights.bin"]);
  expect(several.execution).toEqual({ warmUpShapes: { x: [2] } });
  const short = temporaryFolder({ "config.json": '{"sha256": "abc"}' });
  await expect(readVersionConfig(short)).rejects.toThrow(/sha256 is "abc", expected a SHA-256 in hexadecimal/);
});

test("a version cannot set what concerns the whole model", async () => {
  const folder = temporaryFolder({ "config.json": '{"versionPolicy": {"all": true}}' });
  await expect(readVersionConfig(folder)).rejects.toThrow(
    "unknown key 'versionPolicy', expected one of: sha256, warmUp",
  );
});
