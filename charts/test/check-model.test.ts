import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../serving/test/server-process.ts";
import { listen, runScript } from "./script-process.ts";

const content = "the bytes of a model";
const sha256 = createHash("sha256").update(content).digest("hex");
const path = "digits/1/model.onnx";

interface File {
  readonly path: string;
  readonly sha256: string;
  readonly url?: string;
}

function check(repository: string, files: readonly File[], more: Readonly<Record<string, string>> = {}) {
  return runScript("check-model.mjs", { MODEL_REPOSITORY: repository, MODEL_FILES: JSON.stringify(files), ...more });
}

test("passes a file that is the expected one", async () => {
  const { code, stdout } = await check(temporaryFolder({ [path]: content }), [{ path, sha256 }]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ message: "as expected", path });
});

test("keeps the server from starting on another file, and says which", async () => {
  const { code, stderr } = await check(temporaryFolder({ [path]: `${content}!` }), [{ path, sha256 }]);
  expect(code).toBe(1);
  expect(JSON.parse(stderr).message).toMatch(new RegExp(`^${path} has the SHA-256 [0-9a-f]{64}, not ${sha256}$`));
});

test("keeps the server from starting without the file", async () => {
  const { code, stderr } = await check(temporaryFolder(), [{ path, sha256 }]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${path} is not there`);
});

test("reads nothing outside of the repository", async () => {
  const folder = temporaryFolder({ secret: content, "models/x": "" });
  const { code, stderr } = await check(join(folder, "models"), [{ path: "../secret", sha256 }]);
  expect(code).toBe(1);
  expect(stderr).toContain("../secret is not below");
});

test("fetches a file into its folder", async () => {
  const url = `${await listen((_, answer) => answer.end(content))}/model.onnx`;
  const repository = temporaryFolder();
  const { code, stderr } = await check(repository, [{ path, sha256, url }]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(readFileSync(join(repository, path), "utf8")).toBe(content);
});

test("fetches nothing that is there already, as when a pod starts again", async () => {
  let requests = 0;
  const url = await listen((_, answer) => {
    requests += 1;
    answer.end(content);
  });
  const repository = temporaryFolder({ [path]: content });
  expect(await check(repository, [{ path, sha256, url }])).toMatchObject({ code: 0 });
  expect(requests).toBe(0);
});

test("leaves nothing of a download with another digest, and asks once: the same bytes would come again", async () => {
  let requests = 0;
  const url = `${await listen((_, answer) => {
    requests += 1;
    answer.end("other bytes");
  })}/model.onnx?signature=hush`;
  const repository = temporaryFolder();
  const { code, stdout, stderr } = await check(repository, [{ path, sha256, url }]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/model\.onnx has the SHA-256 [0-9a-f]{64}, not/);
  expect(`${stdout}${stderr}`).not.toContain("hush");
  expect(readdirSync(join(repository, "digits/1"))).toEqual([]);
  expect(requests).toBe(1);
});

test("asks again when the answer fails for now or breaks off", async () => {
  const answers = [
    (answer: ServerResponse) => answer.writeHead(503).end(),
    (answer: ServerResponse) => {
      answer.writeHead(200, { "content-length": "1000" }).write("half");
      answer.destroy();
    },
    (answer: ServerResponse) => answer.end(content),
  ];
  const url = await listen((_, answer) => answers.shift()?.(answer));
  const { code, stdout } = await check(temporaryFolder(), [{ path, sha256, url }]);
  expect(code).toBe(0);
  expect(stdout.match(/"message":"again"/g)).toHaveLength(2);
}, 30_000);

test.each([404, 204])("asks once for what is not there, and says what the answer was: %i", async (status) => {
  const url = await listen((_, answer) => answer.writeHead(status).end());
  const { code, stderr } = await check(temporaryFolder(), [{ path, sha256, url }]);
  expect(code).toBe(1);
  expect(stderr).toContain(`is answered ${status}`);
});

test("shows headers to the url's own host, and to nobody that it redirects to", async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await listen((request, answer) => {
    seen.push(request.headers["x-token"]?.toString());
    answer.end(content);
  });
  const url = await listen((request, answer) => {
    seen.push(request.headers["x-token"]?.toString());
    answer.writeHead(302, { location: elsewhere.replace("127.0.0.1", "localhost") }).end();
  });
  const headers = temporaryFolder({ "x-token": "secret\n", "..data/x-token": "secret" });
  const { code, stderr } = await check(temporaryFolder(), [{ path, sha256, url }], { MODEL_HEADERS: headers });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(seen).toEqual(["secret", undefined]);
});

test("does not run around in circles", async () => {
  const url = await listen((_, answer) => answer.writeHead(302, { location: "/" }).end());
  const repository = temporaryFolder();
  const { code, stderr } = await check(repository, [{ path, sha256, url }]);
  expect(code).toBe(1);
  expect(stderr).toContain("is redirected more than 5 times");
  expect(existsSync(join(repository, path))).toBe(false);
});

test.each([
  ["an inner line's end", "Bearer hush\nx-more: hush"],
  ["a control character", "Bearer hush\u0001"],
  ["a character that headers cannot hold", "Bearer hush€"],
])("asks nobody with a header that has %s, and does not show it", async (_, value) => {
  let requests = 0;
  const url = await listen((_, answer) => {
    requests += 1;
    answer.end(content);
  });
  const headers = temporaryFolder({ authorization: `${value}\n` });
  const { code, stdout, stderr } = await check(temporaryFolder(), [{ path, sha256, url }], { MODEL_HEADERS: headers });
  expect(code).toBe(1);
  expect(JSON.parse(stderr).message).toBe("header authorization has no valid value");
  expect(stdout).toBe("");
  expect(requests).toBe(0);
});

test.each([
  ["http://user:hush@127.0.0.1:1/model.onnx?sig=hush", "http://127.0.0.1:1/model.onnx holds a user name or a password"],
  ["user:hush@127.0.0.1/model.onnx?sig=hush", "its url is not one of http or https"],
  ["http://user:hush@no host/?sig=hush", "its url is not one of http or https"],
])("does not ask %s, and shows no password", async (url, message) => {
  const { code, stdout, stderr } = await check(temporaryFolder(), [{ path, sha256, url }]);
  expect(code).toBe(1);
  expect(JSON.parse(stderr).message).toContain(`${path}: ${message}`);
  expect(`${stdout}${stderr}`).not.toMatch(/hush|user:/);
  expect(stdout).toBe("");
});

test.each([
  ["http://user:hush@127.0.0.1:1/?sig=hush", "is redirected to a url with a user name or a password"],
  ["user:hush@127.0.0.1/?sig=hush", "is redirected to what is no url of http or https"],
  ["http://user:hush@no host/?sig=hush", "is redirected to what is no url of http or https"],
])("does not follow to %s, shows no password, and asks once", async (location, message) => {
  let requests = 0;
  const url = `${await listen((_, answer) => {
    requests += 1;
    answer.writeHead(302, { location }).end();
  })}/model.onnx`;
  const { code, stdout, stderr } = await check(temporaryFolder(), [{ path, sha256, url: `${url}?sig=hush` }]);
  expect(code).toBe(1);
  expect(JSON.parse(stderr).message).toBe(`${path}: ${url} ${message}`);
  expect(stdout).toBe("");
  expect(requests).toBe(1);
});

test.each([
  ["a port that fetch refuses", { location: "http://127.0.0.1:22/" }, {}, "cannot be fetched: bad port"],
  ["a header that fetch refuses", {}, { connection: "hush hush" }, "cannot be fetched: invalid connection header"],
])("asks once where it is not the network that fails, as with %s", async (_, to, headers, message) => {
  const url = await listen((_, answer) => answer.writeHead(302, to).end());
  const more = { MODEL_HEADERS: temporaryFolder(headers) };
  const { code, stdout, stderr } = await check(temporaryFolder(), [{ path, sha256, url }], more);
  expect(code).toBe(1);
  expect(JSON.parse(stderr).message).toBe(`${path}: ${url}/ ${message}`);
  expect(stdout).toBe("");
});

test("asks again when the connection ends before an answer, and shows no query", async () => {
  const answers = [(answer: ServerResponse) => answer.destroy(), (answer: ServerResponse) => answer.end(content)];
  const url = `${await listen((_, answer) => answers.shift()?.(answer))}/model.onnx`;
  const { code, stdout } = await check(temporaryFolder(), [{ path, sha256, url: `${url}?sig=hush` }]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout.split("\n")[0] ?? "")).toMatchObject({ message: "again", url });
  expect(stdout).not.toContain("hush");
});
