import { describe, expect, it } from "vitest";
import { readInputs } from "../../shared/src/action-runtime/inputs.ts";
import { inputs } from "../src/inputs.ts";
import { readSettings } from "../src/settings.ts";

const settings = (given: Record<string, string>) =>
  readSettings(
    readInputs(
      inputs,
      Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    ),
  );
const digest = `sha256:${"0".repeat(64)}`;
const least = { endpoint: "http://127.0.0.1:1/", model: "m" };

describe("readSettings", () => {
  it("takes an endpoint, or a release in a namespace", () => {
    expect(settings(least).place).toEqual({ kind: "endpoint", url: "http://127.0.0.1:1" });
    expect(settings({ namespace: "n", release: "r", model: "m", port: "" }).place).toEqual({
      kind: "cluster",
      namespace: "n",
      release: "r",
      service: undefined,
      port: undefined,
    });
  });

  it("knows where the protocol says that a model is ready", () => {
    expect(settings({ ...least, model: "a b" }).protocol).toMatchObject({ readyPath: "/v2/models/a%20b/ready" });
    expect(settings({ ...least, protocol: "http" }).protocol).toEqual({ kind: "http", readyPath: "/" });
  });

  it("measures latency without judging it when no limit is given, and no load without a rate", () => {
    expect(settings({ ...least, rate: "5" }).load).toEqual({
      rate: 5,
      durationMilliseconds: 10_000,
      p99: undefined,
      errors: 0,
    });
    expect(settings({ ...least, p99: "1s" }).load).toBeUndefined();
  });

  it.each([
    [{ model: "m" }, "neither 'endpoint' nor both of 'namespace' and 'release' were given"],
    [{ endpoint: "http://x", protocol: "open-inference" }, "input 'model' is required by the protocol"],
    [{ ...least, protocol: "http", golden: "g.json" }, "'golden' holds requests of the Open Inference Protocol"],
    [{ ...least, image: `ghcr.io/a/b@${digest}` }, "'image' was given without 'environment'"],
    [{ ...least, image: "ghcr.io/a/b:v1", environment: "staging" }, "is not an image"],
    [{ ...least, rate: "9", p99: "1s" }, "9 requests a second for 10 s are 90, too few for a 99th percentile"],
    [{ ...least, endpoint: "models.example.com" }, "expected an address such as https://models.example.com"],
    [{ ...least, rate: "fast" }, "expected a number from 0.1 to 10000"],
    [{ ...least, errors: "0.1" }, "expected a percentage such as 0.1%"],
    [{ ...least, p99: "250" }, "expected a duration such as 250ms"],
  ])("refuses %j", (given, why) => expect(() => settings(given)).toThrow(why));
});
