import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import type { Check } from "./check.ts";
import type { TensorMetadata } from "./conformance.ts";
import { type Endpoint, reportMilliseconds } from "./endpoint.ts";
import { type LoadPlan, runLoad, type Sample, type Send } from "./load.ts";
import { figuresOf, judgeLoad, type LoadFigures } from "./objectives.ts";
import type { LoadSettings } from "./settings.ts";

/** One request of the load; they are sent in turn. */
export interface LoadRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body: string;
}

/** Latencies need finer time than that of day, and time that no clock correction moves. */
const fineClock = {
  now: () => performance.now(),
  sleep: (milliseconds: number, signal?: AbortSignal) => wait(milliseconds, undefined, signal ? { signal } : {}),
};

const crashRemedy = "see the pod's previous log (kubectl logs --previous) and its memory limit";

/** Puts the load on the endpoint and judges it. A load that the way to the model, not the model, broke is run again once. */
export async function checkLoad(
  endpoint: Endpoint,
  requests: readonly LoadRequest[],
  settings: LoadSettings,
  { signal, log }: Pick<ActionContext, "signal" | "log">,
): Promise<{ checks: readonly Check[]; figures: LoadFigures }> {
  const { rate, durationMilliseconds } = settings;
  log.line(`load: ${rate} requests a second for ${durationMilliseconds / 1_000} s, sent whether answers come or not`);
  const started = performance.now();
  const attempt = () => loadOnce(endpoint, requests, planOf(settings), signal);
  let samples = await attempt();
  let crash = await crashBehind(endpoint, samples);
  if (crash === undefined && (await isCut(endpoint, samples)) && (await endpoint.reconnect())) {
    samples = await attempt();
    crash = await crashBehind(endpoint, samples);
  }
  const figures = figuresOf(samples);
  const seconds = (performance.now() - started) / 1_000;
  const check = { suite: "load" as const, seconds };
  if (crash !== undefined) {
    const failed = { name: "server stays up", verdict: "fail" as const, message: `${crash} under load` };
    return { figures, checks: [{ ...check, ...failed, remedy: crashRemedy }] };
  }
  if (await isCut(endpoint, samples)) {
    const message = "the port-forward broke twice, so the load says nothing about the model";
    const remedy = "re-run; where it comes back, give `endpoint` instead of a kubeconfig";
    return { figures, checks: [{ ...check, name: "load", verdict: "inconclusive", message, remedy }] };
  }
  return { figures, checks: judgeLoad(figures, settings).map((objective) => ({ ...check, ...objective })) };
}

function planOf({ rate, durationMilliseconds, p99 }: LoadSettings): LoadPlan {
  const timeoutMilliseconds = Math.min(30_000, Math.max(2_000, 10 * (p99 ?? 1_000)));
  const mostOutstanding = Math.min(512, Math.max(16, Math.ceil((rate * timeoutMilliseconds) / 1_000)));
  return { rate, durationMilliseconds, timeoutMilliseconds, mostOutstanding };
}

async function isCut(endpoint: Endpoint, samples: readonly Sample[]): Promise<boolean> {
  const isWithoutAnswer = samples.some(({ outcome }) => outcome === "broken" || outcome === "timed-out");
  return isWithoutAnswer && (await endpoint.broken());
}

async function crashBehind(endpoint: Endpoint, samples: readonly Sample[]): Promise<string | undefined> {
  return samples.some(({ outcome }) => outcome === "broken") ? await endpoint.crashed(reportMilliseconds) : undefined;
}

async function loadOnce(
  endpoint: Endpoint,
  requests: readonly LoadRequest[],
  plan: LoadPlan,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const secure = endpoint.url.startsWith("https:");
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const open = secure ? httpsRequest : httpRequest;
  const send: Send = (index, limit) =>
    new Promise((resolve, reject) => {
      const { method, path, body } = requests[index % requests.length] as LoadRequest;
      const headers =
        body === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sent = open(`${endpoint.url}${path}`, { method, headers, agent, signal: limit }, (response) => {
        response.on("end", () => resolve(response.statusCode ?? 0));
        response.on("error", reject);
        response.on("close", () => reject(new Error("the answer was broken off")));
        response.resume();
      });
      sent.on("error", reject);
      sent.end(body);
    });
  try {
    return await runLoad(plan, send, fineClock, signal);
  } finally {
    agent.destroy();
  }
}

/** A request that fits a model's inputs, for a load without golden cases: zeros, with 1 for every size that may be any. */
export function inventRequest(inputs: readonly TensorMetadata[]): string {
  const tensors = inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (Number(size) < 0 ? 1 : Number(size)));
    const zero = datatype === "BYTES" ? "" : datatype === "BOOL" ? false : 0;
    const count = sizes.reduce((product, size) => product * size, 1);
    return { name, datatype, shape: sizes, data: Array(count).fill(zero) };
  });
  return JSON.stringify({ inputs: tensors });
}
