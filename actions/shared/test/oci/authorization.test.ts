import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { type Answer, type Seen, startRegistry } from "./little-registry.ts";

const credentials = { username: "ada", password: "s3cret-p4ss" };
const basic = `Basic ${Buffer.from("ada:s3cret-p4ss").toString("base64")}`;
const blob = { digest: digestOf("layer"), size: 5, open: () => "layer" };

/** Lets in who sends this; all others get the challenge. */
const guarded = (authorization: string, challenge: () => string) => (seen: Seen) =>
  seen.authorization === authorization
    ? undefined
    : { status: 401, headers: { "www-authenticate": challenge() }, body: "who are you" };

/** A service that gives tokens, and what it was asked. */
async function startTokens(answer: (url: URL, authorization: string | undefined) => Answer) {
  const asked: { url: URL; authorization: string | undefined }[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    const entry = { url: new URL(url, "http://tokens"), authorization: headers.authorization };
    asked.push(entry);
    const { status, body } = answer(entry.url, entry.authorization);
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close().closeAllConnections());
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return { asked, challenge: () => `Bearer realm="${realm}",service="registry.example",scope="ignored"` };
}

const token = (value: unknown, status = 200): Answer => ({ status, body: JSON.stringify(value) });

describe("a registry that wants a password", () => {
  it("gets it with the next request, and without being asked from then on", async () => {
    const registry = await startRegistry({ answer: guarded(basic, () => 'Basic realm="registry"') });
    const client = registry.client({ credentials });
    await client.putBlob(blob);
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined, basic, basic, basic]);
    expect(registry.blobs.size).toBe(1);
  });

  it("that is wrong is REGISTRY_DENIED, with what to check, and not with the password", async () => {
    const registry = await startRegistry({ answer: guarded("Basic other", () => 'Basic realm="registry"') });
    const error = await registry
      .client({ credentials })
      .checkPush()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "REGISTRY_DENIED",
      blame: "fail",
      message: expect.stringContaining("HTTP 401 who are you"),
      remedy: expect.stringContaining("registry-password"),
    });
    expect(String(error)).not.toContain("s3cret");
  });

  it("says so when none was given", async () => {
    const registry = await startRegistry({ answer: guarded(basic, () => 'Basic realm="registry"') });
    await expect(registry.client().checkPush()).rejects.toMatchObject({
      code: "REGISTRY_DENIED",
      message: expect.stringContaining("no credentials were given"),
    });
  });

  it("may know the user and still refuse to push", async () => {
    const registry = await startRegistry({ answer: ({ method }) => (method === "POST" ? { status: 403 } : undefined) });
    await expect(registry.client({ credentials }).checkPush()).rejects.toMatchObject({ code: "REGISTRY_DENIED" });
  });
});

describe("a registry that wants a token", () => {
  it("gets one for this repository and these actions, from the service that it names", async () => {
    const tokens = await startTokens(() => token({ token: "t0ken-of-ada" }));
    const registry = await startRegistry({ answer: guarded("Bearer t0ken-of-ada", tokens.challenge) });
    const masked: string[] = [];
    await registry.client({ credentials, redactor: new Redactor((text) => masked.push(text)) }).putBlob(blob);
    expect(tokens.asked).toHaveLength(1);
    const [{ url, authorization } = { url: new URL("x:") }] = tokens.asked;
    expect(Object.fromEntries(url.searchParams)).toEqual({
      service: "registry.example",
      scope: "repository:acme/digits:pull,push",
    });
    expect(authorization).toBe(basic);
    expect(masked).toContain("t0ken-of-ada");
    expect(masked).toContain(basic.slice("Basic ".length));
  });

  it("gets an anonymous one to read with, where no credentials were given", async () => {
    const tokens = await startTokens(() => token({ access_token: "anyone" }));
    const registry = await startRegistry({ answer: guarded("Bearer anyone", tokens.challenge) });
    expect(await registry.client().resolveTag("main")).toBeUndefined();
    expect(tokens.asked[0]?.authorization).toBeUndefined();
    expect(tokens.asked[0]?.url.searchParams.get("scope")).toBe("repository:acme/digits:pull");
  });

  it("gets a new one when the old one has run out", async () => {
    let issued = 0;
    const tokens = await startTokens(() => token({ token: `token-${++issued}` }));
    const answer = (seen: Seen) =>
      guarded(seen.method === "PUT" ? "Bearer token-2" : "Bearer token-1", tokens.challenge)(seen);
    const registry = await startRegistry({ answer });
    expect(await registry.client({ credentials }).putBlob(blob)).toBe(true);
    expect(registry.blobs.get(blob.digest)?.toString()).toBe("layer");
  });

  it.each([
    ["refuses", token({}, 401), "REGISTRY_DENIED", "fail"],
    ["gives none", token({}), "REGISTRY_DENIED", "fail"],
    ["answers no JSON", { status: 200, body: "<html>" }, "REGISTRY_DENIED", "fail"],
    ["is down", token({}, 503), "REGISTRY_UNREACHABLE", "inconclusive"],
  ])("whose token service %s", async (_, answer, code, blame) => {
    const tokens = await startTokens(() => answer);
    const registry = await startRegistry({ answer: guarded("Bearer x", tokens.challenge) });
    await expect(registry.client({ credentials }).resolveTag("main")).rejects.toMatchObject({ code, blame });
  });

  it.each(['Bearer realm="not a url"', "Bearer", 'Negotiate realm="x"'])(
    "by a challenge of no use: %s",
    async (challenge) => {
      const registry = await startRegistry({ answer: guarded("Bearer x", () => challenge) });
      await expect(registry.client({ credentials }).resolveTag("main")).rejects.toMatchObject({
        code: "REGISTRY_DENIED",
        message: expect.stringContaining(challenge),
      });
    },
  );
});

describe("an upload that goes on at another host", () => {
  it("does not see the credentials", async () => {
    const storage = await startRegistry();
    const registry = await startRegistry({
      answer: guarded(basic, () => 'Basic realm="registry"'),
      uploadLocation: `http://${storage.name}/upload?signature=1`,
    });
    expect(await registry.client({ credentials }).putBlob(blob)).toBe(true);
    expect(storage.seen).toMatchObject([{ method: "PUT", authorization: undefined }]);
    expect(storage.blobs.size).toBe(1);
  });

  it("cannot ask for them", async () => {
    const tokens = await startTokens(() => token({ token: "x" }));
    for (const challenge of ['Basic realm="storage"', tokens.challenge()]) {
      const storage = await startRegistry({
        answer: () => ({ status: 401, headers: { "www-authenticate": challenge } }),
      });
      const registry = await startRegistry({ uploadLocation: `http://${storage.name}/upload` });
      await expect(registry.client({ credentials }).putBlob(blob)).rejects.toMatchObject({ code: "REGISTRY_DENIED" });
      expect(storage.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    }
    expect(tokens.asked).toEqual([]);
  });
});
