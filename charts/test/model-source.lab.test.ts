// needs: helm
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { additionModel } from "../../serving/test/onnx-file.ts";
import { apply, kubectl, Release } from "./release.ts";
import { pushFile, pushFilesImage, pushServerImages } from "./server-image.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 900_000 });

const { addresses } = inject("lab");
const name = `test/chart-model-${process.pid}`;
const repository = `${addresses.registry}/${name}`;
const path = "digits/1/model.onnx";
const releases: Release[] = [];
let server: string;

beforeAll(async () => {
  // An image without a model.
  const { none } = await pushServerImages(addresses.registry, name, { none: { "readme.txt": Buffer.from("none\n") } });
  server = `${repository}@${none}`;
});
afterAll(() => {
  for (const release of releases) release.remove();
});

function fresh(): Release {
  const release = new Release("helm", `chart-model-${process.pid}-${releases.length}`);
  releases.push(release);
  return release;
}

/** Values that run the server with a model of that source. */
function values(model: object): string[] {
  const image = `image.repository=${repository},image.digest=${server.split("@")[1]}`;
  const quick = "server.drainSeconds=0,resources.limits.memory=1Gi";
  return ["--set", `${image},${quick}`, "--set-json", `model=${JSON.stringify(model)}`];
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

/** Installs it, open on this machine, and tells what the model makes of 0 once the node has learnt of the port. */
async function addsUp(release: Release, model: object): Promise<number> {
  await release.upgrade(...values(model), "--set", "service.type=NodePort");
  const sum = await vi.waitFor(() => release.sum(), { timeout: 15_000, interval: 500 });
  // A lab has few ports to give.
  await release.helm("uninstall", "digits", "--wait", "--timeout", "1m");
  return sum;
}

/** Installs it without waiting, and expects that its pod does not start and says why. */
async function expectRefusal(
  release: Release,
  model: object,
  reason: string,
  container: "model-check" | "server" = "model-check",
): Promise<void> {
  await release.helm("install", "digits", join(import.meta.dirname, "../model-server"), ...values(model));
  const log = () => release.kubectl("logs", "deployment/digits-model-server", "-c", container);
  await vi.waitFor(() => expect(log()).toContain(reason), { timeout: 120_000, interval: 1_000 });
  const ready = "jsonpath={.items[*].status.containerStatuses[*].ready}";
  expect(release.kubectl("get", "pods", "-o", ready)).toBe("false");
}

/** A command that writes the variable MODEL to the file of that folder that its argument names. */
const writeInto = (folder: string) => [
  "/nodejs/bin/node",
  "--eval",
  `const { mkdirSync, writeFileSync } = require("node:fs");
  mkdirSync("${folder}/digits/1", { recursive: true });
  writeFileSync("${folder}/" + process.argv[1], Buffer.from(process.env.MODEL, "base64"));`,
];

describe("a model that is fetched", () => {
  const content = additionModel([7, 7]);
  const download = async (expected: string) => {
    const file = await pushFile(addresses.registry, name, content);
    const url = `http://${addresses.fromPods?.registry}${file.path}`;
    return { source: "download", files: [{ path, url, sha256: expected }] };
  };

  it("is checked and served", async () => {
    expect(await addsUp(fresh(), await download(sha256(content)))).toBe(7);
  });

  it("is not served when it is another one, and the log says so", async () => {
    const wrong = "0".repeat(64);
    await expectRefusal(fresh(), await download(wrong), `has the SHA-256 ${sha256(content)}, not ${wrong}`);
  });
});

describe("a model that a container writes", () => {
  const content = additionModel([5, 5]);
  const init = (expected: string) => ({
    source: "init",
    init: {
      image: server,
      command: writeInto("/models"),
      args: [path],
      env: [{ name: "MODEL", value: content.toString("base64") }],
    },
    files: [{ path, sha256: expected }],
  });

  it("is checked and served", async () => {
    expect(await addsUp(fresh(), init(sha256(content)))).toBe(5);
  });

  it("is not served when it is another one, and the log says so", async () => {
    const wrong = "f".repeat(64);
    await expectRefusal(fresh(), init(wrong), `has the SHA-256 ${sha256(content)}, not ${wrong}`);
  });
});

describe("a model in an image of its own", () => {
  const content = additionModel([9, 9]);
  const oci = async (expected: string) => {
    const digest = await pushFilesImage(addresses.registry, `${name}-files`, { "team/digits/1/model.onnx": content });
    const reference = `${addresses.registry}/${name}-files@${digest}`;
    return { source: "oci", oci: { reference, subPath: "team" }, files: [{ path, sha256: expected }] };
  };

  it("is mounted read-only, checked and served", async () => {
    expect(await addsUp(fresh(), await oci(sha256(content)))).toBe(9);
  });

  it("is not served when it is another one, and the log says so", async () => {
    const release = fresh();
    const wrong = "b".repeat(64);
    await expectRefusal(release, await oci(wrong), `has the SHA-256 ${sha256(content)}, not ${wrong}`);
    const volume = "jsonpath={.items[0].spec.volumes[?(@.name=='model')].image.pullPolicy}";
    expect(release.kubectl("get", "pods", "-o", volume)).toBe("IfNotPresent");
  });

  it("is not there when it is an artifact and no image, and the log says that the folder is empty", async () => {
    const { digest } = await pushFile(addresses.registry, `${name}-artifact`, content);
    const reference = `${addresses.registry}/${name}-artifact@${digest}`;
    await expectRefusal(
      fresh(),
      { source: "oci", oci: { reference } },
      "the model repository /models is empty",
      "server",
    );
  });
});

describe("a model on a volume", () => {
  const content = additionModel([3, 3]);
  const claim = `models-${process.pid}`;
  const folder = `/var/lib/${claim}`;

  /** A volume of the node's disk, for a claim of that namespace; a pod of another namespace writes the model to it. */
  const provide = (namespace: string) => {
    const writer = `${namespace}-writer`;
    const spec = { accessModes: ["ReadOnlyMany"], storageClassName: "" };
    const hostPath = { path: folder, type: "DirectoryOrCreate" };
    const objects = [
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: claim },
        spec: { ...spec, capacity: { storage: "1Mi" }, hostPath, claimRef: { namespace, name: claim } },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: claim, namespace },
        spec: { ...spec, volumeName: claim, resources: { requests: { storage: "1Mi" } } },
      },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: writer } },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "writer", namespace: writer },
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "writer",
              image: server,
              command: [...writeInto("/volume/team"), path],
              env: [{ name: "MODEL", value: content.toString("base64") }],
              securityContext: { runAsUser: 0 },
              volumeMounts: [{ name: "volume", mountPath: "/volume" }],
            },
          ],
          volumes: [{ name: "volume", hostPath }],
        },
      },
    ];
    apply(JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    try {
      kubectl("wait", "pod/writer", "-n", writer, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s");
    } finally {
      kubectl("delete", "namespace", writer, "--wait=false");
    }
  };
  const model = (expected: string) => ({
    source: "pvc",
    pvc: { claimName: claim, subPath: "team" },
    files: [{ path, sha256: expected }],
  });
  let release: Release;
  beforeAll(() => {
    release = fresh();
    provide(release.namespace);
  });
  afterAll(() => {
    kubectl("delete", "persistentvolume", claim, "--wait=false", "--ignore-not-found");
  });

  it("is mounted read-only, checked and served", async () => {
    expect(await addsUp(release, model(sha256(content)))).toBe(3);
  });

  it("is not served when it is another one, and the log says so", async () => {
    const wrong = "a".repeat(64);
    await expectRefusal(release, model(wrong), `has the SHA-256 ${sha256(content)}, not ${wrong}`);
    const mounts = "jsonpath={.items[0].spec.containers[0].volumeMounts[?(@.name=='model')]}";
    expect(JSON.parse(release.kubectl("get", "pods", "-o", mounts))).toEqual({
      mountPath: "/models",
      name: "model",
      readOnly: true,
      subPath: "team",
    });
  });
});
