import { describe, expect, it } from "vitest";
import { withValues } from "../../src/chart/readme.ts";
import { readValues } from "../../src/chart/values.ts";
import { compareSchema, findUndocumented } from "../../src/chart/values-schema.ts";

const text = `# Pods.
replicas: 1

# Where it
# comes from.
image:
  # Registry | name.
  repository: ""
  tag: v1
  # As Kubernetes has it.
  pull: { policy: Always }
  # Deeper.
  source:
    # A list.
    files:
      - path: a
limits: {}
none: null
`;

describe("readValues", () => {
  it("takes the comment above a value for its description, and a map in one line for a value", () => {
    expect(readValues(text)).toEqual([
      { path: ["replicas"], description: "Pods.", fallback: "1" },
      { path: ["image"], description: "Where it comes from.", fallback: undefined },
      { path: ["image", "repository"], description: "Registry | name.", fallback: '""' },
      { path: ["image", "tag"], description: "", fallback: '"v1"' },
      { path: ["image", "pull"], description: "As Kubernetes has it.", fallback: '{"policy":"Always"}' },
      { path: ["image", "source"], description: "Deeper.", fallback: undefined },
      { path: ["image", "source", "files"], description: "A list.", fallback: '[{"path":"a"}]' },
      { path: ["limits"], description: "", fallback: "{}" },
      { path: ["none"], description: "", fallback: "null" },
    ]);
  });

  it("finds values that nobody described", () => {
    expect(findUndocumented(readValues(text))).toEqual([
      "limits has no comment in values.yaml",
      "none has no comment in values.yaml",
    ]);
  });
});

describe("withValues", () => {
  const markers = "<!-- values: written by `npm run build` from values.yaml -->\nold\n<!-- /values -->";

  it("writes the values that stand alone, then a table for each group", () => {
    const [replicas, image, repository] = readValues(text);
    const values = [replicas, image, repository].filter((value) => value !== undefined);
    expect(withValues(`# chart\n\n${markers}\n`, values, "README.md")).toBe(`# chart

<!-- values: written by \`npm run build\` from values.yaml -->

| value      | default | description |
| ---------- | ------- | ----------- |
| \`replicas\` | \`1\`     | Pods.       |

### image

Where it comes from.

| value              | default | description       |
| ------------------ | ------- | ----------------- |
| \`image.repository\` |         | Registry \\| name. |

<!-- /values -->
`);
  });

  it("refuses a README without its two markers", () => {
    expect(() => withValues("# chart\n", [], "charts/x/README.md")).toThrow("charts/x/README.md");
  });
});

describe("compareSchema", () => {
  const values = readValues("# a\nimage:\n  tag: x\n# b\nreplicas: 1\n");
  const closed = { type: "object", additionalProperties: false, required: ["image", "tag", "replicas"] };
  const image = { ...closed, properties: { tag: { type: "string" } } };

  it("finds nothing when both have the same keys and the schema takes no others", () => {
    const schema = { ...closed, properties: { image, replicas: { type: "integer" }, global: { type: "object" } } };
    expect(compareSchema(values, schema)).toEqual([]);
  });

  it("finds keys that only one of them has, in every group", () => {
    const schema = { ...closed, properties: { image: { ...image, properties: { tga: {} } }, replicas: {} } };
    expect(compareSchema(values, schema)).toEqual([
      "image.tag is in values.yaml, not in the schema",
      "image.tga is in the schema, not in values.yaml",
    ]);
  });

  it("finds a part that takes keys which it does not name", () => {
    const schema = {
      ...closed,
      properties: { image: { type: "object", required: ["tag"], properties: { tag: {} } }, replicas: {} },
    };
    expect(compareSchema(values, schema)).toEqual(["values.properties.image takes keys that the schema does not name"]);
  });

  it("finds keys that null would take away, but not those that may be null", () => {
    const properties = { image: { ...image, required: [] }, replicas: { type: ["integer", "null"] } };
    expect(compareSchema(values, { ...closed, required: ["image"], properties })).toEqual([
      "image.tag can be taken away by null: the schema does not require it",
    ]);
  });
});
