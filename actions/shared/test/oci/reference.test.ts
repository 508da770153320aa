import { describe, expect, it } from "vitest";
import { parseDigest } from "../../src/oci/digest.ts";
import { formatImage, parseImageReference, parseRepository } from "../../src/oci/reference.ts";
import { registryScheme } from "../../src/oci/registry.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("image names", () => {
  it.each(["ghcr.io/acme/digits", "127.0.0.1:5000/digits", "localhost/a_b/c--d"])("reads %s", (name) => {
    expect(formatImage(parseImageReference(`${name}@${digest}`))).toBe(`${name}@${digest}`);
  });

  it.each([
    "digits",
    "acme/digits",
    "ghcr.io/Acme/digits",
    "ghcr.io/acme/digits:latest",
    "ghcr.io/../x",
    "https://ghcr.io/a",
  ])("refuses %s", (name) => {
    expect(() => parseRepository(name)).toThrow(expect.objectContaining({ code: "IMAGE_NAME_INVALID" }));
  });

  it.each(["latest", "sha256:abc", digest.toUpperCase(), `${digest}0`, "sha512:00"])(
    "takes %s for no digest",
    (text) => {
      expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: "DIGEST_INVALID" }));
    },
  );

  it("refuses a tag where a digest belongs", () => {
    expect(() => parseImageReference("ghcr.io/acme/digits:v1")).toThrow();
  });

  it("speaks plain HTTP to loopback only", () => {
    expect(
      ["127.0.0.1:5000", "localhost", "ghcr.io", "127.0.0.1.evil.com", "10.0.0.1:5000"].map(registryScheme),
    ).toEqual(["http", "http", "https", "https", "https"]);
  });
});
