import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { StageResult } from "../../shared/src/action-runtime/verdict.ts";
import { type Kubeconfig, openKubeconfig } from "../../shared/src/kubernetes/kubeconfig.ts";
import { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { findServicePort, type ServicePort } from "../../shared/src/kubernetes/service.ts";
import { findCredentials } from "../../shared/src/oci/credentials.ts";
import type { Digest } from "../../shared/src/oci/digest.ts";
import { formatImage, type ImageReference, parseImageReference } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { locateChart } from "./chart.ts";
import { type Deployment, deploy } from "./deploy.ts";
import { recordDeployment, recordInterruption, requireImage } from "./evidence.ts";
import { Helm } from "./helm.ts";
import { type HelmDeployInputs, inputs } from "./inputs.ts";
import { reportDeployment } from "./report.ts";
import { revisionImage } from "./revision-image.ts";
import { rollBack } from "./roll-back.ts";

type Outputs = Record<
  "release" | "namespace" | "revision" | "previous-revision" | "image" | "service" | "service-port" | "node-port",
  string
>;

/** Deploys an image with Helm, or goes back to an earlier revision, and says why when that fails. */
export const helmDeploy: Action<typeof inputs, Outputs> = {
  name: "helm-deploy",
  inputs,
  async run(given, context) {
    using kubeconfig = await openKubeconfig({ text: given.kubeconfig, context: given.context }, context);
    const asked = given.image === undefined ? undefined : parseImageReference(given.image);
    return given.operation === "rollback"
      ? await rollBackRelease(asked?.digest, given, kubeconfig, context)
      : await deployImage(asked, given, kubeconfig, context);
  },
};

async function deployImage(
  image: ImageReference | undefined,
  given: HelmDeployInputs,
  kubeconfig: Kubeconfig,
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  if (!image)
    throw new ActionError("INPUT_INVALID", {
      message: "input 'image' is required to deploy and was not given",
      remedy: "pass the output `image` of build-scan: registry/path@sha256:…",
    });
  const registry = await openRegistry(image, given, context);
  await requireImage(registry, image);
  const { RUNNER_TEMP, GITHUB_WORKSPACE } = context.environment;
  const folder = await mkdtemp(join(RUNNER_TEMP || tmpdir(), "helm-"));
  try {
    const chart = await locateChart(given.chart, GITHUB_WORKSPACE ?? ".", process.argv[1] ?? ".");
    const tools = await findTools(kubeconfig, context);
    const { "registry-username": username, "registry-password": password } = given;
    if (chart.registry !== undefined && username !== undefined && password !== undefined)
      await tools.helm.logIn(chart, username, password, join(folder, "registry.json"));
    const deployment = await deploy(image, chart, given, { ...tools, registry }, context);
    return await conclude(image, deployment, given, tools, context);
  } catch (error) {
    await recordInterruption(registry, image, given, error, context);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rollBackRelease(
  wanted: Digest | undefined,
  given: HelmDeployInputs,
  kubeconfig: Kubeconfig,
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  const tools = await findTools(kubeconfig, context);
  const registryOf = (image: ImageReference) => openRegistry(image, given, context);
  const { image, deployment } = await rollBack(given, wanted, tools, registryOf, context);
  return await conclude(image, deployment, given, tools, context);
}

async function findTools(kubeconfig: Kubeconfig, context: ActionContext) {
  return { kubectl: await Kubectl.find(kubeconfig, context), helm: await Helm.find(kubeconfig, context) };
}

async function openRegistry(image: ImageReference, given: HelmDeployInputs, { redactor, signal }: ActionContext) {
  const account = { username: given["registry-username"], password: given["registry-password"] };
  const credentials = await findCredentials(image.registry, account, redactor);
  return new RegistryClient(image, { credentials, signal, redactor });
}

/** Records the outcome as evidence about the image, and turns it into the action's result. */
async function conclude(
  image: ImageReference,
  deployment: Deployment,
  given: HelmDeployInputs,
  { helm, kubectl }: { readonly helm: Helm; readonly kubectl: Kubectl },
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  const registry = await openRegistry(image, given, context);
  const recorded = await recordDeployment(registry, image, given, deployment, context);
  const live = await liveImage(image, deployment, given, helm);
  const service = await findServicePort(kubectl, { ...given, service: undefined }).catch(
    (): ServicePort | undefined => {
      context.signal.throwIfAborted();
      return undefined;
    },
  );
  return {
    ...recorded,
    outputs: {
      release: given.release,
      namespace: given.namespace,
      revision: String(deployment.revision?.revision ?? ""),
      "previous-revision": String(deployment.previous?.revision ?? ""),
      image: live,
      service: service?.service ?? "",
      "service-port": String(service?.port ?? ""),
      "node-port": String(service?.nodePort ?? ""),
    },
    summary: reportDeployment(deployment, given, live, service),
  };
}

/** The image that the release serves now: after a failure, that of the revision that was deployed before. */
async function liveImage(image: ImageReference, deployment: Deployment, given: HelmDeployInputs, helm: Helm) {
  if (deployment.verdict === "pass") return formatImage(image);
  const { previous } = deployment;
  if (!previous) return "";
  const before = await revisionImage(helm, given, previous.revision);
  return before ? formatImage(before) : "";
}
