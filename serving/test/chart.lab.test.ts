import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readSettings, type Settings } from "../src/config/settings.ts";
import { IN_FLIGHT_LIMIT_MS } from "../src/lifecycle/drain.ts";

const CHART = fileURLToPath(new URL("../../charts/model-server", import.meta.url));
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const IMAGE = ["--set", `image.repository=registry.example.org/digits,image.digest=${DIGEST}`];

interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [field: string]: unknown;
}

interface Manifests {
  readonly Deployment: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly template: {
        readonly metadata: object & { readonly labels: Readonly<Record<string, string>> };
        readonly spec: { readonly containers: readonly [Container]; readonly [field: string]: unknown };
      };
      readonly [field: string]: unknown;
    };
  };
  readonly Service: { readonly spec: { readonly [field: string]: unknown } };
}

function helm(...args: readonly string[]): string {
  return execFileSync("helm", args, { encoding: "utf8", stdio: "pipe" });
}

/** What the release `digits` consists of, by kind. */
function template(...args: readonly string[]): Manifests {
  const documents = parseAllDocuments(helm("template", "digits", CHART, ...IMAGE, ...args));
  return Object.fromEntries(documents.map((document) => [document.get("kind"), document.toJS()])) as Manifests;
}

/** What helm says when it refuses these values. */
function refusal(...args: readonly string[]): string {
  try {
    helm("template", "digits", CHART, ...args);
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  throw new Error("helm accepted it");
}

test("passes helm lint, with its defaults and as the pipeline uses it", () => {
  expect(helm("lint", CHART)).toContain("0 chart(s) failed");
  expect(helm("lint", "--strict", CHART, ...IMAGE)).toContain("0 chart(s) failed");
});

test("runs the image by digest", () => {
  const [server] = template().Deployment.spec.template.spec.containers;
  expect(server.image).toBe(`registry.example.org/digits@${DIGEST}`);
});

test("refuses to run without a digest and says what to set", () => {
  const repository = ["--set", "image.repository=registry.example.org/digits"];
  expect(refusal()).toContain("image.repository is missing");
  expect(refusal(...repository)).toContain("image.digest is missing: set it to the sha256:");
  expect(refusal(...repository, "--set-string", "image.tag=1")).toContain("Set image.digest=sha256:");
  expect(refusal(...repository, "--set", "image.digest=latest")).toMatch(/image.digest.*pattern/);
});

test("runs a tag only where that is allowed by name", () => {
  const tag = ["--set", "image.digest=,image.allowTag=true", "--set-string", "image.tag=1"];
  const [server] = template(...tag).Deployment.spec.template.spec.containers;
  expect(server.image).toBe("registry.example.org/digits:1");
});

test("is admitted by Pod Security restricted, with a read-only root and no token", () => {
  const { spec } = template().Deployment.spec.template;
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
  });
  expect(spec.containers[0].securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  expect(spec).not.toHaveProperty("hostNetwork");
  expect(spec).not.toHaveProperty("volumes");
});

test("probes what the server answers, and gives start-up the time that was asked for", () => {
  const [server] = template("--set", "server.startSeconds=300").Deployment.spec.template.spec.containers;
  expect(server).toMatchObject({
    startupProbe: { httpGet: { path: "/v2/health/ready", port: "http" }, periodSeconds: 1, failureThreshold: 300 },
    readinessProbe: { httpGet: { path: "/v2/health/ready", port: "http" } },
    livenessProbe: { httpGet: { path: "/v2/health/live", port: "http" } },
  });
});

test("never has fewer pods than replicas during an update", () => {
  expect(template().Deployment.spec).toMatchObject({ strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
});

test("gives a pod longer to end than the server takes to drain", () => {
  for (const drainSeconds of [0, 5, 60]) {
    const { spec } = template("--set", `server.drainSeconds=${drainSeconds}`).Deployment.spec.template;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + IN_FLIGHT_LIMIT_MS / 1000);
  }
});

test("sets the server up as the values say, in a form the server accepts", () => {
  const set = "server.drainSeconds=7,server.maxBodyBytes=33554432,server.intraOpThreads=2";
  const [server] = template("--set", set).Deployment.spec.template.spec.containers;
  const environment = Object.fromEntries(server.env.map(({ name, value }) => [name, value]));
  const settings = readSettings([], environment) as Settings;
  expect(settings).toMatchObject({ drainSeconds: 7, maxBodyBytes: 33_554_432, intraOpThreads: 2 });
  expect(settings.port).toBe(server.ports[0]?.containerPort);
  expect(environment.ORT_DISABLE_TELEMETRY).toBe("1");
});

test("has the server's own defaults", () => {
  const [server] = template().Deployment.spec.template.spec.containers;
  const environment = Object.fromEntries(server.env.map(({ name, value }) => [name, value]));
  expect(readSettings([], environment)).toEqual(readSettings([], {}));
});

test("the Service selects the pods, inside the cluster unless asked otherwise", () => {
  const { Deployment, Service } = template();
  expect(Service.spec).toMatchObject({ type: "ClusterIP", ports: [{ port: 80, targetPort: "http" }] });
  expect(Service.spec.selector).toEqual(Deployment.spec.selector.matchLabels);
  expect(Deployment.spec.template.metadata.labels).toMatchObject(Deployment.spec.selector.matchLabels);
});

test("takes a fixed node port, and only for a Service that has one", () => {
  const ports = template("--set", "service.type=NodePort,service.nodePort=30080").Service.spec.ports;
  expect(ports).toMatchObject([{ nodePort: 30_080 }]);
  expect(refusal(...IMAGE, "--set", "service.nodePort=30080")).toContain("set service.type=NodePort");
});

test("labels objects as Kubernetes recommends and annotates pods with what they serve", () => {
  const { metadata, spec } = template("--set-string", "podAnnotations.mlops-actions/model-version=3").Deployment;
  expect(metadata.labels).toMatchObject({
    "app.kubernetes.io/name": "model-server",
    "app.kubernetes.io/instance": "digits",
    "app.kubernetes.io/managed-by": "Helm",
    "helm.sh/chart": expect.stringMatching(/^model-server-\d/),
  });
  expect(spec.template.metadata).toMatchObject({ annotations: { "mlops-actions/model-version": "3" } });
});

test.each([
  ["replicas=2", "replicas"],
  ["image.digset=x", "digset"],
  ["server.drainSecond=5", "drainSecond"],
  ["service.nodeport=30080", "nodeport"],
  ["server.drainSeconds=-1", "drainSeconds"],
  ["podLabels.app\\.kubernetes\\.io/name=x", "app.kubernetes.io/name"],
])("refuses a value it does not know: %s", (value, named) => {
  expect(refusal(...IMAGE, "--set", value)).toContain(named);
});
