import { expect, test } from "vitest";
import { identityModel } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

const models = { "m/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [1] }]) };

test("metrics with a port of their own are there alone, and nothing of the models is", async () => {
  const server = await ServerProcess.serving(models, ["--metrics-port", "0"]);
  try {
    const listening = server.log.find(({ message }) => message === "listening");
    const apart = `http://127.0.0.1:${listening?.metricsPort}`;
    const statuses = async (url: string) =>
      Object.fromEntries(
        await Promise.all(
          ["/metrics", "/v2/health/ready", "/v2/models/m"].map(async (path) => [
            path,
            (await fetch(url + path)).status,
          ]),
        ),
      );
    expect(await statuses(apart)).toEqual({ "/metrics": 200, "/v2/health/ready": 200, "/v2/models/m": 404 });
    expect(await statuses(server.url)).toEqual({ "/metrics": 404, "/v2/health/ready": 200, "/v2/models/m": 200 });
    expect(await (await fetch(`${server.url}/metrics`)).json()).toEqual({
      error: "metrics are on the server's --metrics-port",
    });
    expect(await (await fetch(`${server.url}/`)).text()).not.toContain('href="metrics"');
  } finally {
    await server.stop();
  }
});
