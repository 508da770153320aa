import { describe, expect, it } from "vitest";
import { parseActionFile } from "../../src/contract/action-file.ts";
import { withContract } from "../../src/contract/readme.ts";

const actionFile = (inputs: string) => `
name: Plan
description: Plans.
author: us
branding: { icon: list, color: blue }
${inputs}
outputs:
  verdict: { description: "\`pass\` | \`fail\`" }
runs: { using: node24, main: ../../dist/plan/index.js }
`;
const contract = (inputs: string) => parseActionFile(actionFile(inputs), "plan");

const readme = `# plan

<!-- contract: written by \`npm run build\` from action.yml -->
old
<!-- /contract -->

after
`;

describe("withContract", () => {
  const inputs = contract(`inputs:
  path: { description: "Where\\n  it is.", required: true }
  level: { description: How much., default: "low" }`);

  it("writes both tables between the markers and nothing elsewhere", () => {
    expect(withContract(readme, inputs, "README.md")).toBe(`# plan

<!-- contract: written by \`npm run build\` from action.yml -->

| input   | required | default | description  |
| ------- | -------- | ------- | ------------ |
| \`path\`  | yes      |         | Where it is. |
| \`level\` | no       | \`low\`   | How much.    |

| output    | description      |
| --------- | ---------------- |
| \`verdict\` | \`pass\` \\| \`fail\` |

<!-- /contract -->

after
`);
  });

  it("gives the same text when it is applied again", () => {
    const once = withContract(readme, inputs, "README.md");
    expect(withContract(once, inputs, "README.md")).toBe(once);
  });

  it("says so when there are no inputs", () => {
    expect(withContract(readme, contract(""), "README.md")).toContain("No inputs.");
  });

  it.each(["# plan\n", readme + readme, readme.replace("<!-- /contract -->", "")])(
    "refuses a README without its two markers, once each: %#",
    (text) => {
      expect(() => withContract(text, inputs, "actions/plan/README.md")).toThrow("actions/plan/README.md");
    },
  );
});

describe("parseActionFile", () => {
  it("refuses a bundle of another action, which the runner would run", () => {
    expect(() => parseActionFile(actionFile(""), "train")).toThrow("runs.main is not ../../dist/train/index.js");
  });

  it("names a key that does not belong there", () => {
    expect(() => contract("inputs:\n  path: { description: x, requierd: true }")).toThrow(/requierd/);
  });
});
