import { describe, expect, it } from "vitest";
import { clusterError } from "../../src/kubernetes/error.ts";

describe("clusterError", () => {
  it.each([
    [
      "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
      "CLUSTER_UNREACHABLE",
    ],
    ["dial tcp 127.0.0.1:1: connect: connection refused", "CLUSTER_UNREACHABLE"],
    ["dial tcp: lookup cluster.example.com: no such host", "CLUSTER_UNREACHABLE"],
    ["Unable to connect to the server: net/http: TLS handshake timeout", "CLUSTER_UNREACHABLE"],
    ["tls: failed to verify certificate: x509: certificate signed by unknown authority", "CLUSTER_UNREACHABLE"],
    ["error: You must be logged in to the server (Unauthorized)", "CLUSTER_DENIED"],
    ['pods is forbidden: User "ann" cannot list resource "pods" in the namespace "a"', "CLUSTER_FORBIDDEN"],
    ["getting credentials: exec: executable gke-gcloud-auth-plugin not found", "CLUSTER_DENIED"],
    ['admission webhook "policy" denied the request: no', "CLUSTER_REFUSED"],
  ])("%s", (stderr, code) => expect(clusterError("read pods", stderr).code).toBe(code));

  it("blames the infrastructure when the cluster does not answer, and only then", () => {
    expect(clusterError("read pods", "i/o timeout").blame).toBe("inconclusive");
    expect(clusterError("read pods", "Unauthorized").blame).toBe("fail");
  });

  it("leaves client-go's own log lines out", () => {
    const stderr = 'E1123 06:39:00.1 12 memcache.go:265] "Unhandled Error"\nerror: Unauthorized\n';
    expect(clusterError("read pods", stderr).message).toMatch(/\(asked to read pods\): error: Unauthorized$/);
  });
});
