import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { parseImageReference } from "../../shared/src/oci/reference.ts";
import { runAction, startAction } from "../../shared/test/action-process.ts";
import {
  addresses,
  chart,
  cleanUp,
  deploy,
  environmentOf,
  fresh,
  helm,
  helmHistory,
  images,
  inputsOf,
  killedUpgrade,
  kubeconfig,
  kubectl,
  limitedKubeconfig,
  newestEvidence,
  pushImages,
  servedImages,
} from "./real-cluster.ts";

beforeAll(pushImages);
afterEach(cleanUp);

describe("helm-deploy on a real cluster", () => {
  it("deploys by digest into a namespace that it makes, and leaves evidence", async () => {
    const namespace = fresh();
    const { exitCode, outputs, log } = await deploy(namespace, images.good, {
      "model-version": "12",
      set: "serviceType=NodePort",
    });
    expect(outputs, log).toMatchObject({
      verdict: "pass",
      release: "double",
      namespace,
      revision: "1",
      "previous-revision": "",
      image: images.good,
      service: "double",
      "service-port": "80",
    });
    expect(exitCode).toBe(0);
    expect(Number(outputs["node-port"])).toBeGreaterThan(1024);
    expect(servedImages(namespace)).toEqual([images.good]);
    expect(kubectl("get", "namespace", namespace, "-o", "json")).toContain(
      '"pod-security.kubernetes.io/enforce": "restricted"',
    );
    expect(helmHistory(namespace)[0]?.description).toMatch(
      /^digest [0-9a-f]{12}, model version 12, commit 0123456789ab, run 7-1 by ann$/,
    );
    expect(await newestEvidence(images.good)).toMatchObject({
      stage: "helm-deploy",
      environment: "staging",
      verdict: "pass",
      details: { release: "double", namespace, revision: 1, chart: "double-0.1.0", modelVersion: "12" },
    });
  });

  it("says why a release fails, before rolling it back to what was there", async () => {
    const namespace = fresh();
    await deploy(namespace, images.good);
    const { exitCode, outputs, summary, log } = await deploy(namespace, images.crash);
    expect(outputs, log).toMatchObject({
      verdict: "fail",
      revision: "3",
      "previous-revision": "1",
      image: images.good,
    });
    expect(outputs.reason).toMatch(
      /crashed 3 times with exit code 3; its last words: cannot load \/models\/double\S+: no such file; rolled back to what revision 1 was$/,
    );
    expect(exitCode).toBe(1);
    expect(summary).toContain("cannot load /models/double/1/model.onnx");
    expect(servedImages(namespace)).toContain(images.good);
    expect(await newestEvidence(images.crash)).toMatchObject({
      verdict: "fail",
      details: { diagnosis: { cause: "crash-loop" } },
    });
  });

  it("uninstalls a first install that fails, and names the policy that refused it", async () => {
    const namespace = fresh();
    const { outputs, milliseconds, log } = await deploy(namespace, images.good, { set: "privileged=true" });
    expect(outputs, log).toMatchObject({ verdict: "fail", revision: "", image: "" });
    expect(outputs.reason).toMatch(/Pod Security Standard refuses the pods of Deployment double: .*uninstalled/);
    expect(milliseconds).toBeLessThan(30_000);
    expect(helm("list", "-n", namespace, "-q").trim()).toBe("");
  });

  it("leaves a release in place when the cluster has no room for it", async () => {
    const namespace = fresh();
    await deploy(namespace, images.good);
    const { outputs, log } = await deploy(namespace, images.good, {
      set: "request=900Gi\nmemory=900Gi",
      timeout: "6s",
    });
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", revision: "2" });
    expect(outputs.reason).toMatch(/fits on no node: .*Insufficient memory.*; revision 2 was left in place$/);
    expect(servedImages(namespace)).toHaveLength(2);
    expect((await deploy(namespace, images.good)).outputs).toMatchObject({ verdict: "pass", revision: "3" });
  });

  it("goes back to the newest revision with another digest, or to the one that is named", async () => {
    const namespace = fresh();
    for (const image of [images.good, images.other, images.other]) await deploy(namespace, image);
    const rollback = (more: Record<string, string> = {}) =>
      runAction("helm-deploy", inputsOf(namespace, { operation: "rollback", ...more }), environmentOf());
    const back = await rollback();
    expect(back.outputs, back.log).toMatchObject({
      verdict: "pass",
      revision: "4",
      "previous-revision": "3",
      image: images.good,
    });
    expect(servedImages(namespace)).toContain(images.good);
    expect((await rollback({ revision: "3" })).outputs).toMatchObject({ verdict: "pass", image: images.other });
    expect((await rollback({ revision: "77" })).outputs).toMatchObject({
      verdict: "fail",
      code: "ROLLBACK_IMPOSSIBLE",
    });
  });

  it("goes to the same goal when its run is repeated, and further back in a new one", async () => {
    const namespace = fresh();
    for (const image of [images.third, images.good, images.other]) await deploy(namespace, image);
    const rollback = async (run: string, more: Record<string, string> = {}) => {
      const inputs = inputsOf(namespace, { operation: "rollback", ...more });
      return await runAction("helm-deploy", inputs, environmentOf({ GITHUB_RUN_ID: run }));
    };
    const first = await rollback("70");
    expect(first.outputs, first.log).toMatchObject({ verdict: "pass", revision: "4", image: images.good });
    const repeated = await rollback("70");
    expect(repeated.outputs, repeated.log).toMatchObject({ verdict: "pass", revision: "4", image: images.good });
    expect(repeated.log).toContain("nothing to roll back, only its pods are checked");
    const live = await rollback("71", { revision: "4" });
    expect(live.outputs, live.log).toMatchObject({ verdict: "pass", revision: "4", image: images.good });
    const further = await rollback("72");
    expect(further.outputs, further.log).toMatchObject({ verdict: "pass", revision: "5", image: images.third });
    expect(servedImages(namespace)).toContain(images.third);
    const none = await rollback("73");
    expect(none.outputs, none.log).toMatchObject({ verdict: "fail", code: "ROLLBACK_IMPOSSIBLE" });
    const labels = kubectl("get", "secrets", "-n", namespace, "-l", "mlops-actions/left-by", "--show-labels");
    expect(labels).toMatch(/left-by=70\.v3,/);
    expect(labels).toMatch(/left-by=72\.v4,/);
  });

  it("ends in time when it is cancelled, and the next run goes on from there", async () => {
    const namespace = fresh();
    await deploy(namespace, images.good);
    const action = startAction("helm-deploy", inputsOf(namespace, { image: images.unready }), environmentOf());
    await action.printed("pods ready (");
    action.interrupt();
    const { outputs, milliseconds } = await action.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(milliseconds).toBeLessThan(7_000);
    expect(helmHistory(namespace).at(-1)?.status).toBe("failed");
    const next = await deploy(namespace, images.other);
    expect(next.outputs, next.log).toMatchObject({ verdict: "pass", image: images.other });
  });

  it("mends what a killed run left unfinished, and waits for one that may be alive", async () => {
    const namespace = fresh();
    await deploy(namespace, images.good);
    await killedUpgrade(namespace, "7-1");
    const other = await deploy(namespace, images.other, { timeout: "4s" }, { GITHUB_RUN_ID: "8" });
    expect(other.outputs, other.log).toMatchObject({ verdict: "inconclusive", code: "RELEASE_LOCKED" });
    const again = await deploy(namespace, images.other, {}, { GITHUB_RUN_ATTEMPT: "2" });
    expect(again.log).toContain("was left unfinished by a run that is gone; mending: back to revision 1");
    expect(again.outputs, again.log).toMatchObject({ verdict: "pass", revision: "4", image: images.other });
  });

  it("mends a first install that was killed by uninstalling it", async () => {
    const namespace = fresh();
    kubectl("create", "namespace", namespace);
    await killedUpgrade(namespace, "7-1");
    const { outputs, log } = await deploy(namespace, images.good, {}, { GITHUB_RUN_ATTEMPT: "2" });
    expect(log).toContain("mending: uninstalled");
    expect(outputs, log).toMatchObject({ verdict: "pass", revision: "1" });
  });

  it("says that the cluster cannot find the image, long before the time is up", async () => {
    const elsewhere = {
      "repository-key": "other.repository",
      set: `image.repository=${addresses.registry}/test/nothing`,
    };
    const { outputs, milliseconds, log } = await deploy(fresh(), images.good, elsewhere);
    expect(outputs, log).toMatchObject({ verdict: "fail", remedy: expect.stringContaining("check the repository") });
    expect(outputs.reason).toMatch(
      /cannot be pulled: the registry does not have it; the failed first install was uninstalled/,
    );
    expect(milliseconds).toBeLessThan(60_000);
  });

  it("does not take helm's success for that of the digest", async () => {
    const { digest } = parseImageReference(images.other);
    const ignored = { "digest-key": "other.digest", set: `image.digest=${digest}` };
    const { outputs, log } = await deploy(fresh(), images.good, ignored);
    expect(outputs, log).toMatchObject({ verdict: "fail", remedy: expect.stringContaining("digest-key") });
    expect(outputs.reason).toMatch(/^no pod of the release runs [0-9a-f]{12}, although helm ended well; .*uninstalled/);
  });

  it("deploys a chart from a registry", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chart-"));
    helm("package", chart, "--destination", folder);
    helm("push", join(folder, "double-0.1.0.tgz"), `oci://${addresses.registry}/charts`, "--plain-http");
    rmSync(folder, { recursive: true });
    const oci = { chart: `oci://${addresses.registry}/charts/double`, "chart-version": "0.1.0" };
    const { outputs, log } = await deploy(fresh(), images.good, oci);
    expect(outputs, log).toMatchObject({ verdict: "pass", image: images.good });
    const missing = await deploy(fresh(), images.good, { ...oci, "chart-version": "9.9.9" });
    expect(missing.outputs, missing.log).toMatchObject({ verdict: "fail", code: "CHART_INVALID" });
  });

  it("needs no more than a role in the namespace", async () => {
    const namespace = fresh();
    kubectl("create", "namespace", namespace);
    const limited = { kubeconfig: limitedKubeconfig(namespace) };
    const { outputs, log } = await deploy(namespace, images.good, limited);
    expect(log).toContain("this user may not see namespaces; taken to be there");
    expect(outputs, log).toMatchObject({ verdict: "pass", service: "double" });
    const beyond = await deploy(fresh(), images.good, limited);
    expect(beyond.outputs, beyond.log).toMatchObject({ verdict: "fail", code: "CLUSTER_FORBIDDEN" });
  });

  it("refuses a chart that helm does not accept, and changes nothing", async () => {
    const { outputs, log } = await deploy(fresh(), images.good, { set: "image=text" });
    expect(outputs, log).toMatchObject({ verdict: "fail", code: "CHART_INVALID" });
  });

  it("deploys with the chart that comes with the actions", async () => {
    const { outputs, log } = await deploy(fresh(), images.good, { chart: "model-server" });
    expect(outputs, log).toMatchObject({ verdict: "pass", image: images.good });
  });

  it("tells a wrong token from a cluster that does not answer", async () => {
    const config = parse(kubeconfig);
    for (const { user } of config.users) for (const key of Object.keys(user)) delete user[key];
    for (const { user } of config.users) user.token = "wrong-token";
    const denied = await deploy(fresh(), images.good, { kubeconfig: stringify(config) });
    expect(denied.outputs, denied.log).toMatchObject({ verdict: "fail", code: "CLUSTER_DENIED" });
    for (const { cluster } of config.clusters) cluster.server = "https://127.0.0.1:1";
    const away = await deploy(fresh(), images.good, { kubeconfig: stringify(config) });
    expect(away.outputs, away.log).toMatchObject({ verdict: "inconclusive", code: "CLUSTER_UNREACHABLE" });
    expect(await newestEvidence(images.good)).toMatchObject({
      verdict: "inconclusive",
      details: { code: "CLUSTER_UNREACHABLE" },
    });
  });
});
