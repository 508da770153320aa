import { describe, expect, it } from "vitest";
import type { Service } from "../../src/kubernetes/objects.ts";
import { chooseServicePort } from "../../src/kubernetes/service.ts";

const service = (name: string, more: Partial<NonNullable<Service["spec"]>> = {}, release = "digits"): Service => ({
  metadata: { name, annotations: { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "ns" } },
  spec: {
    clusterIP: "10.96.0.7",
    selector: { app: name },
    ports: [
      { port: 80, name: "http", targetPort: "http" as never, nodePort: 30_080 },
      { port: 9000, name: "grpc" },
    ],
    ...more,
  },
});
const query = { namespace: "ns", release: "digits", service: undefined };

describe("chooseServicePort", () => {
  it("takes the only Service of the release, and its first port", () => {
    expect(chooseServicePort([service("web"), service("other", {}, "another")], query)).toEqual({
      service: "web",
      port: 80,
      nodePort: 30_080,
      targetPort: "http",
      selector: { app: "web" },
    });
  });

  it("takes a port by name or number; without a target port it is the container's too", () => {
    expect(chooseServicePort([service("web")], { ...query, port: "grpc" })).toMatchObject({
      port: 9000,
      targetPort: 9000,
    });
    expect(chooseServicePort([service("web")], { ...query, port: "9000" }).port).toBe(9000);
  });

  it("prefers a Service with an address to a headless one", () => {
    expect(chooseServicePort([service("peers", { clusterIP: "None" }), service("web")], query).service).toBe("web");
  });

  it("takes the one named like the release among several, or asks for a name", () => {
    expect(chooseServicePort([service("admin"), service("digits")], query).service).toBe("digits");
    expect(() => chooseServicePort([service("a"), service("b")], query)).toThrow(
      "several Services in namespace ns: a, b",
    );
  });

  it("names the ports that there are", () => {
    expect(() => chooseServicePort([service("web")], { ...query, port: "1" })).toThrow(
      "Service web has no port 1; its ports: 80 (http), 9000 (grpc)",
    );
    expect(() => chooseServicePort([], query)).toThrow("release digits has no Service in namespace ns");
  });
});
