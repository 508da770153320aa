import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../progress/progress.ts";
import type { Step } from "../progress/step.ts";
import type { LabHome } from "../state/home.ts";
import { NETWORK, NODE } from "./network.ts";

/** Longer than any lab lives. */
const DAYS = "3650";

interface Identity {
  /** Distinguished name: Kubernetes reads O as the group and CN as the user. */
  readonly subject: { readonly O?: string; readonly CN: string };
  readonly names?: readonly string[];
}

const API_SERVER_NAMES = [
  "DNS:localhost",
  "DNS:kubernetes",
  "DNS:kubernetes.default",
  "DNS:kubernetes.default.svc",
  `DNS:kubernetes.default.svc.${NETWORK.domain}`,
  "IP:127.0.0.1",
  `IP:${NETWORK.kubernetesService}`,
  `IP:${NETWORK.node}`,
];

/** Who takes part in the cluster, each with no more rights than Kubernetes' own roles give. */
const IDENTITIES = {
  apiserver: { subject: { CN: "kube-apiserver" }, names: API_SERVER_NAMES },
  "apiserver-kubelet-client": { subject: { O: "system:masters", CN: "kube-apiserver-kubelet-client" } },
  admin: { subject: { O: "system:masters", CN: "lab-admin" } },
  "controller-manager": {
    subject: { CN: "system:kube-controller-manager" },
    names: ["DNS:localhost", "IP:127.0.0.1"],
  },
  scheduler: { subject: { CN: "system:kube-scheduler" }, names: ["DNS:localhost", "IP:127.0.0.1"] },
  kubelet: {
    subject: { O: "system:nodes", CN: `system:node:${NODE}` },
    names: [`DNS:${NODE}`, `IP:${NETWORK.node}`, "IP:127.0.0.1"],
  },
  proxy: { subject: { CN: "system:kube-proxy" } },
  coredns: { subject: { CN: "lab:coredns" } },
} as const satisfies Record<string, Identity>;

/** The name of a participant of the cluster, and of its certificate. */
export type IdentityName = keyof typeof IDENTITIES;

const SERVICE_ACCOUNTS = "service-accounts";

const folder = (home: LabHome) => join(home.state, "pki");

/** The certificate and key of a participant, PEM. */
export function identity(home: LabHome, name: IdentityName | "ca"): { cert: string; key: string } {
  const read = (ending: string) => readFileSync(join(folder(home), `${name}.${ending}`), "utf8");
  return { cert: read("crt"), key: read("key") };
}

/** The certificate of the cluster's authority, PEM. */
export function authority(home: LabHome): string {
  return readFileSync(join(folder(home), "ca.crt"), "utf8");
}

function opensslConfiguration(extensions: readonly string[]): string {
  return `[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions\n[name]\n[extensions]\n${extensions.join("\n")}\n`;
}

function distinguishedName(subject: Identity["subject"]): string {
  return `${subject.O ? `/O=${subject.O}` : ""}/CN=${subject.CN}`;
}

/** Makes a key and a certificate; the certificate gets its name last, so a pair that is there is whole. */
async function issue(
  step: Step,
  pki: string,
  name: string,
  who: Identity,
  extensions: readonly string[],
): Promise<void> {
  const path = (ending: string) => join(pki, `${name}.${ending}`);
  if (existsSync(path("crt"))) return;
  writeFileSync(path("cnf"), opensslConfiguration(extensions));
  const signer = name === "ca" ? [] : ["-CA", join(pki, "ca.crt"), "-CAkey", join(pki, "ca.key")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", path("key")];
  const certificate = ["-x509", "-days", DAYS, "-subj", distinguishedName(who.subject), "-out", path("crt.new")];
  await step.run("openssl", ["req", "-config", path("cnf"), ...key, ...certificate, ...signer], {
    remedy: "the lab needs OpenSSL 3 (apt-get install openssl)",
  });
  renameSync(path("crt.new"), path("crt"));
}

/** Makes the cluster's authority and the certificates that it gives out, as far as they are missing. */
export async function ensurePki(home: LabHome, progress: Progress): Promise<void> {
  const names = ["ca", SERVICE_ACCOUNTS, ...Object.keys(IDENTITIES)];
  if (names.every((name) => existsSync(join(folder(home), `${name}.crt`)))) return;
  await progress.step("certificates", (step) => issueAll(folder(home), `${home.cgroup} authority`, step));
}

async function issueAll(pki: string, authorityName: string, step: Step): Promise<void> {
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  await issue(step, pki, "ca", { subject: { CN: authorityName } }, [
    "basicConstraints = critical,CA:TRUE",
    "keyUsage = critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier = hash",
  ]);
  const leaf = [
    "basicConstraints = CA:FALSE",
    "keyUsage = critical,digitalSignature",
    "extendedKeyUsage = serverAuth,clientAuth",
  ];
  const all: [string, Identity][] = Object.entries(IDENTITIES);
  await Promise.all([
    ...all.map(([name, who]) =>
      issue(step, pki, name, who, who.names ? [...leaf, `subjectAltName = ${who.names.join(",")}`] : leaf),
    ),
    // The key that signs service account tokens; its certificate only carries the public half.
    issue(step, pki, SERVICE_ACCOUNTS, { subject: { CN: SERVICE_ACCOUNTS } }, leaf),
  ]);
}
