import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { findCredentials } from "../../src/oci/credentials.ts";

const auth = (text: string) => ({ auth: Buffer.from(text).toString("base64") });

function dockerConfig(text: string): { DOCKER_CONFIG: string } {
  const folder = mkdtempSync(join(tmpdir(), "docker-config-"));
  writeFileSync(join(folder, "config.json"), text);
  return { DOCKER_CONFIG: folder };
}

const none = { username: undefined, password: undefined };
const configuration = dockerConfig(
  JSON.stringify({
    auths: {
      "ghcr.io": auth("ada:pass:with:colons"),
      "https://index.docker.io/v1/": auth("hub:hub-password"),
      "no-colon.io": auth("ada"),
      "helper.io": {},
    },
  }),
);

describe("findCredentials", () => {
  it("takes those that the action was given before any other", async () => {
    const given = { username: "u", password: "p" };
    expect(await findCredentials("ghcr.io", given, new Redactor(), configuration)).toEqual(given);
  });

  it.each([
    ["ghcr.io", "ada", "pass:with:colons"],
    ["docker.io", "hub", "hub-password"],
  ])(
    "takes the login that an earlier step left for %s, and keeps its password out of the log",
    async (registry, username, password) => {
      const redactor = new Redactor(() => undefined);
      expect(await findCredentials(registry, none, redactor, configuration)).toEqual({ username, password });
      expect(redactor.redact(`it is ${password}`)).toBe("it is ***");
    },
  );

  it.each(["other.io", "no-colon.io", "helper.io"])("finds none for %s", async (registry) => {
    expect(await findCredentials(registry, none, new Redactor(), configuration)).toBeUndefined();
  });

  it.each(["", "{", "[]", "null"])("finds none in a configuration that is %j", async (text) => {
    expect(await findCredentials("ghcr.io", none, new Redactor(), dockerConfig(text))).toBeUndefined();
  });

  it("finds none where there is no configuration", async () => {
    expect(await findCredentials("ghcr.io", none, new Redactor(), { DOCKER_CONFIG: "/nowhere" })).toBeUndefined();
  });
});
