import { expect, it } from "vitest";
import { failed, type LoadReport, settle } from "../machine/load.ts";

const none = { p50: 0, p90: 0, p99: 0, max: 0 };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const report: LoadReport = {
  requests: 10,
  succeeded: 9,
  errors: { "HTTP 503": 1 },
  variants: [
    { body: base64("rounded"), count: 3 },
    { body: base64("nonsense"), count: 2 },
  ],
  seconds: 1,
  throughput: 9,
  latency: none,
  lateness: none,
  cpu: 0.1,
};

it("counts an answer that differs but is right as a success, and a wrong one as a failure", () => {
  const settled = settle(report, { faultOf: (body) => (String(body) === "rounded" ? undefined : "wrong") });
  expect(settled).toMatchObject({ succeeded: 7, errors: { "HTTP 503": 1, wrong: 2 } });
  expect(failed(settled)).toBe(3);
});
