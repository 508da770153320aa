import { describe, expect, it } from "vitest";
import { fromDefinition, fromOpenApi, strict } from "../../src/chart/strict-schema.ts";

const text = { type: "string" };

describe("strict", () => {
  it("closes objects with named keys, however deep", () => {
    const rules = { type: "array", items: { type: "object", properties: { name: text } } };
    expect(strict({ type: "object", properties: { rules } })).toEqual({
      type: "object",
      additionalProperties: false,
      properties: {
        rules: { type: "array", items: { type: "object", additionalProperties: false, properties: { name: text } } },
      },
    });
  });

  it("leaves open what is meant to be", () => {
    const labels = { type: "object", additionalProperties: text };
    const free = { type: "object", properties: { a: text }, "x-kubernetes-preserve-unknown-fields": true };
    expect(strict(labels)).toEqual(labels);
    expect(strict(free)).toEqual(free);
  });

  it("takes a key named like a keyword for a key", () => {
    const closed = strict({ type: "object", properties: { properties: text, items: text } });
    expect(closed.properties).toEqual({ properties: text, items: text });
  });

  it("lets a port be a number or a name", () => {
    expect(strict({ "x-kubernetes-int-or-string": true })).toEqual({ type: ["string", "number"] });
  });
});

it("names each of Kubernetes' kinds by group and version, with the parts that it needs and no others", () => {
  const part = (name: string) => ({ $ref: `#/definitions/${name}` });
  const schemas = fromOpenApi({
    definitions: {
      "io.k8s.api.apps.v1.Deployment": {
        type: "object",
        properties: { spec: part("Spec") },
        "x-kubernetes-group-version-kind": [{ group: "apps", version: "v1", kind: "Deployment" }],
      },
      Spec: { type: "object", properties: { cpu: part("io.k8s.apimachinery.pkg.api.resource.Quantity") } },
      "io.k8s.apimachinery.pkg.api.resource.Quantity": text,
      Unused: text,
    },
  });
  const deployment = schemas.get("apps_v1_deployment.json");
  expect([...schemas.keys()]).toEqual(["apps_v1_deployment.json"]);
  expect(deployment?.additionalProperties).toBe(false);
  expect(deployment?.definitions).toMatchObject({
    Spec: { additionalProperties: false },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": { type: ["string", "number"] },
  });
  expect(deployment?.definitions).not.toHaveProperty("Unused");
});

it("makes a schema of each version of a custom kind, and lets it have the fields that every kind has", () => {
  const definition = (kind: string) => ({
    kind,
    spec: {
      group: "keda.sh",
      names: { kind: "ScaledObject" },
      versions: [{ name: "v1alpha1", schema: { openAPIV3Schema: { type: "object", properties: { spec: text } } } }],
    },
  });
  const schema = fromDefinition(definition("CustomResourceDefinition")).get("keda.sh_v1alpha1_scaledobject.json");
  expect(schema).toMatchObject({ additionalProperties: false });
  expect(Object.keys(schema?.properties ?? {}).sort()).toEqual(["apiVersion", "kind", "metadata", "spec"]);
  expect(fromDefinition(definition("Namespace")).size).toBe(0);
});
