import { ActionError } from "../action-runtime/error.ts";

/**
 * What kubectl or helm printed about the cluster, as an error with its cause. Sources of the texts: client-go, its
 * net/http errors, and the API server's statuses.
 *
 * Codes: `CLUSTER_UNREACHABLE` (inconclusive), `CLUSTER_DENIED` (who is this?), `CLUSTER_FORBIDDEN` (may not), `CLUSTER_REFUSED`.
 */
export function clusterError(what: string, stderr: string): ActionError {
  const said = lastLines(stderr);
  if (isUnreachable(stderr))
    return new ActionError("CLUSTER_UNREACHABLE", {
      message: `the cluster does not answer (asked to ${what}): ${said}`,
      remedy:
        "check the server's address in the kubeconfig, and that this runner may reach it (VPN, firewall, allow list)",
      blame: "inconclusive",
    });
  if (/x509:|certificate signed by unknown authority|tls: failed to verify/i.test(stderr))
    return new ActionError("CLUSTER_UNREACHABLE", {
      message: `the cluster's certificate is not trusted (asked to ${what}): ${said}`,
      remedy: "put the cluster's certificate-authority-data into the kubeconfig",
      blame: "inconclusive",
    });
  if (/Unauthorized|must be logged in|the server has asked for the client to provide credentials/i.test(stderr))
    return new ActionError("CLUSTER_DENIED", {
      message: `the cluster does not accept the kubeconfig's credentials (asked to ${what}): ${said}`,
      remedy: "the token or certificate is wrong or has expired: store a fresh kubeconfig in the environment's secret",
    });
  if (/forbidden/i.test(stderr) && !/violates PodSecurity|exceeded quota/.test(stderr))
    return new ActionError("CLUSTER_FORBIDDEN", {
      message: `the kubeconfig's user may not ${what}: ${said}`,
      remedy: "grant it the role that the action's README lists, in this namespace",
    });
  if (/getting credentials: exec|executable \S+ (not found|failed)/i.test(stderr))
    return new ActionError("CLUSTER_DENIED", {
      message: `the kubeconfig's credential plugin failed (asked to ${what}): ${said}`,
      remedy: "install the plugin that the kubeconfig names, and log in to the cloud in an earlier step",
    });
  return new ActionError("CLUSTER_REFUSED", {
    message: `the cluster refused to ${what}: ${said}`,
    remedy: "see the cluster's message",
  });
}

const unreachable =
  /connection refused|was refused - did you specify|no such host|i\/o timeout|deadline exceeded|TLS handshake timeout|network is unreachable|no route to host|connection reset|unexpected EOF|: EOF|server is currently unable|ServiceUnavailable|Client\.Timeout|http2: client connection lost|server rejected our request/i;

export function isUnreachable(stderr: string): boolean {
  return unreachable.test(stderr);
}

/** The last non-empty lines, without client-go's own log lines, in one line. */
function lastLines(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const own = lines.filter((line) => line !== "" && !/^[EWI]\d{4} /.test(line));
  return [...new Set(own.length > 0 ? own : lines)].slice(-3).join(" ").slice(0, 600) || "no message";
}
