import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError, toActionError } from "../../shared/src/action-runtime/error.ts";
import { openKubeconfig } from "../../shared/src/kubernetes/kubeconfig.ts";
import { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { findServicePort } from "../../shared/src/kubernetes/service.ts";
import { type Check, overall } from "./check.ts";
import { Client } from "./client.ts";
import { checkConformance, type TensorMetadata } from "./conformance.ts";
import { type Endpoint, ForwardedEndpoint, fixedEndpoint } from "./endpoint.ts";
import { openSubject, recordTests, type Subject } from "./evidence.ts";
import { stringifyExact } from "./exact-json.ts";
import { type GoldenCase, readGoldenCases } from "./golden.ts";
import { checkGoldenCases, inferPath } from "./golden-checks.ts";
import { type IntegrationTestInputs, inputs } from "./inputs.ts";
import { junitXml } from "./junit.ts";
import { waitForImage } from "./live-image.ts";
import { checkLoad, inventRequest, type LoadRequest } from "./load-checks.ts";
import type { LoadFigures } from "./objectives.ts";
import { waitUntilReady } from "./readiness.ts";
import { reportTests, summarise } from "./report.ts";
import { type Protocol, readSettings, type Settings } from "./settings.ts";

type Outputs = Record<"cases" | "failed-cases" | "p50-ms" | "p99-ms" | "error-rate" | "requests" | "junit", string>;

interface Findings {
  readonly checks: readonly Check[];
  readonly figures: LoadFigures | undefined;
}

/** Tests a deployed model as a model: protocol, golden predictions, latency and errors under an open-loop load. */
export const integrationTest: Action<typeof inputs, Outputs> = {
  name: "integration-test",
  inputs,
  async run(given, context) {
    const settings = readSettings(given);
    const workspace = context.environment.GITHUB_WORKSPACE ?? ".";
    const cases =
      given.golden === undefined ? [] : await readGoldenCases(resolve(workspace, given.golden), given.golden);
    const subject = await openSubject(settings.subject, given, context);
    try {
      const { checks, figures } = await testModel(settings, given, cases, subject, context);
      const junit = await writeJunit(checks, given, context);
      const conclusion = { verdict: overall(checks), ...summarise(checks, figures) };
      const golden = checks.filter(({ suite }) => suite === "golden cases");
      const failed = golden.filter(({ verdict }) => verdict === "fail");
      const evidence = {
        place: settings.place.kind,
        digestIsLive: settings.place.kind === "cluster",
        cases: golden.length,
        failedCases: failed.map(({ name }) => name),
        tolerance: { rtol: given.rtol, atol: given.atol },
        load: figures && { ...settings.load, ...figures },
      };
      return {
        ...(await recordTests(subject, conclusion, evidence, context)),
        outputs: {
          cases: String(golden.length),
          "failed-cases": String(failed.length),
          "p50-ms": figures?.p50?.toFixed(1) ?? "",
          "p99-ms": figures?.p99?.toFixed(1) ?? "",
          "error-rate": figures ? String(figures.errorRate) : "",
          requests: String(figures?.requests ?? ""),
          junit,
        },
        summary: reportTests(checks, figures && settings.load ? { figures, settings: settings.load } : undefined),
      };
    } catch (error) {
      if (!context.signal.aborted) await recordInterruption(subject, error, context);
      throw error;
    }
  },
};

/** Readiness, conformance, golden cases and load, in this order; a model that is not ready is tested no further. */
async function testModel(
  settings: Settings,
  given: IntegrationTestInputs,
  cases: readonly GoldenCase[],
  subject: Subject | undefined,
  context: ActionContext,
): Promise<Findings> {
  using kubeconfig = settings.place.kind === "cluster" ? await openKubeconfig(ofCluster(given), context) : undefined;
  const kubectl = kubeconfig && (await Kubectl.find(kubeconfig, context));
  await using endpoint = await openEndpoint(settings, kubectl, subject, given.timeout, context);
  const client = new Client(endpoint, context);
  const { protocol } = settings;
  const checks = [await waitUntilReady(client, protocol.readyPath, given.timeout, context)];
  if (overall(checks) !== "pass") return { checks, figures: undefined };
  try {
    const inputs =
      protocol.kind === "http" ? [] : await askModel(client, protocol.model, cases, given, checks, context);
    if (!settings.load) return { checks, figures: undefined };
    const requests = loadRequests(protocol, cases, inputs);
    const load = await checkLoad(endpoint, requests, settings.load, context);
    return { checks: [...checks, ...load.checks], figures: load.figures };
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== "SERVER_CRASHED") throw error;
    const { message, remedy } = error;
    checks.push({ suite: "conformance", name: "server stays up", verdict: "fail", message, remedy, seconds: 0 });
    return { checks, figures: undefined };
  }
}

/** Puts the protocol's questions and the golden cases to the model. Adds to `checks`, and returns the model's inputs. */
async function askModel(
  client: Client,
  model: string,
  cases: readonly GoldenCase[],
  given: IntegrationTestInputs,
  checks: Check[],
  { log }: ActionContext,
): Promise<readonly TensorMetadata[]> {
  const inputs = await checkConformance(client, model, checks);
  await checkGoldenCases(client, model, cases, given, checks, log);
  return inputs;
}

function ofCluster({ kubeconfig, context }: IntegrationTestInputs) {
  return { text: kubeconfig, context };
}

async function openEndpoint(
  { place }: Settings,
  kubectl: Kubectl | undefined,
  subject: Subject | undefined,
  timeoutMilliseconds: number,
  context: ActionContext,
): Promise<Endpoint> {
  if (place.kind === "endpoint" || !kubectl) {
    if (subject) context.log.line("`endpoint` was given: whether it serves this digest cannot be checked");
    return fixedEndpoint(place.kind === "endpoint" ? place.url : "");
  }
  const service = await findServicePort(kubectl, place);
  await waitForImage(kubectl, place.namespace, service, subject, timeoutMilliseconds, context);
  return await ForwardedEndpoint.open(kubectl, place.namespace, service, context);
}

function loadRequests(
  protocol: Protocol,
  cases: readonly GoldenCase[],
  inputs: readonly TensorMetadata[],
): readonly LoadRequest[] {
  if (protocol.kind === "http") return [{ method: "GET", path: protocol.readyPath, body: "" }];
  const bodies = cases.length > 0 ? cases.map(({ request }) => stringifyExact(request)) : [inventRequest(inputs)];
  return bodies.map((body) => ({ method: "POST", path: inferPath(protocol.model), body }));
}

async function writeJunit(
  checks: readonly Check[],
  { junit }: IntegrationTestInputs,
  { environment, redactor }: ActionContext,
): Promise<string> {
  const path =
    junit === undefined
      ? join(environment.RUNNER_TEMP || tmpdir(), "integration-test.xml")
      : resolve(environment.GITHUB_WORKSPACE ?? ".", junit);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, redactor.redact(junitXml("integration-test", checks)));
  } catch (cause) {
    throw new ActionError("JUNIT_NOT_WRITTEN", {
      message: `the test report cannot be written to ${path}: ${(cause as Error).message}`,
      remedy: "name a path in `junit` that this job may write to",
      blame: "inconclusive",
      cause,
    });
  }
  return path;
}

/** Tests that could not come to an end say nothing about the image. */
async function recordInterruption(
  subject: Subject | undefined,
  thrown: unknown,
  context: ActionContext,
): Promise<void> {
  const { code, message } = toActionError(thrown);
  await recordTests(subject, { verdict: "inconclusive", reason: message }, { code }, context);
}
