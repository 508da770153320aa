import { join } from "node:path";
import type { LabHome } from "../state/home.ts";
import { authority, type IdentityName, identity } from "./pki.ts";

/** The lab's own kubeconfig, for programs on the machine. */
export function kubeconfigFile(home: LabHome): string {
  return join(home.state, "kubeconfig");
}

/** The name of the lab's context in the kubeconfig that it writes. */
export function contextName(home: LabHome): string {
  return `mlops-lab-${home.name}`;
}

/** A kubeconfig that holds everything it needs, so that it may be copied. JSON is YAML. */
export function kubeconfig(home: LabHome, name: IdentityName, port: number): string {
  const { cert, key } = identity(home, name);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const context = contextName(home);
  const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority-data": base64(authority(home)) };
  const user = { "client-certificate-data": base64(cert), "client-key-data": base64(key) };
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: context, cluster }],
      users: [{ name, user }],
      contexts: [{ name: context, context: { cluster: context, user: name } }],
      "current-context": context,
    },
    null,
    2,
  )}\n`;
}
