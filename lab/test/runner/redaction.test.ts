import { expect, test } from "vitest";
import { Redaction } from "../../src/runner/redaction.ts";

test("each line of a secret is hidden, as a program may print them one by one", () => {
  const redaction = new Redaction(["-----BEGIN-----\nabcdef\n-----END-----\n"]);
  expect(redaction.text("key: abcdef")).toBe("key: ***");
});

test("a secret that contains another is hidden as a whole", () => {
  expect(new Redaction(["token", "token-long"]).text("token-long")).toBe("***");
});

test("a value too short to be a secret does not blacken the log", () => {
  expect(new Redaction(["a", "1\n2", ""]).text("a banana 1 2")).toBe("a banana 1 2");
});

test("special characters mean themselves", () => {
  expect(new Redaction(["a.c$1"]).text("abc$1 a.c$1")).toBe("abc$1 ***");
});
