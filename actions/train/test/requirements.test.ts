import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { pipFailure } from "../src/pip-failure.ts";
import { readRequirements } from "../src/requirements.ts";

let folder: string;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const read = (name = "requirements.txt") => readRequirements(join(folder, name), name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "requirements-"));
});

describe("requirements", () => {
  it("are other requirements when a file that they include is another", async () => {
    mkdirSync(join(folder, "more"));
    write("requirements.txt", "-r more/base.txt\n-c more/limits.txt\n");
    write("more/base.txt", "-r ../requirements.txt\nnumpy\n");
    write("more/limits.txt", "numpy<2\n");
    const before = await read();
    expect((await read()).hash).toBe(before.hash);
    write("more/limits.txt", "numpy<3\n");
    expect((await read()).hash).not.toBe(before.hash);
  });

  it("that include a file which is not there are refused with its name", async () => {
    write("requirements.txt", "--requirement=nothing.txt\n");
    await expect(read()).rejects.toMatchObject({
      code: "REQUIREMENTS_NOT_FOUND",
      message: expect.stringContaining("nothing.txt"),
    });
  });

  it("have hashes, or packages of the checkout, or neither", async () => {
    write("requirements.txt", "numpy==2.0.0 \\\n    --hash=sha256:00\n");
    expect(await read()).toMatchObject({ hashed: true, local: false });
    for (const line of ["-e .", "./package", "../package", "/opt/package", "package @ file:///opt/package"]) {
      write("requirements.txt", `${line}\n`);
      expect(await read(), line).toMatchObject({ hashed: false, local: true });
    }
    write("requirements.txt", "numpy>=2.0 ; python_version > '3.9'  # see ./notes\npkg @ https://host/pkg.whl\n");
    expect(await read()).toMatchObject({ hashed: false, local: false });
  });
});

describe("a failure of pip", () => {
  it.each([
    [
      "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/x/\nERROR: No matching distribution found for x",
      "PIP_INDEX_UNREACHABLE",
    ],
    ["ERROR: HTTP error 503 while getting https://host/x.whl", "PIP_INDEX_UNREACHABLE"],
    [
      "ERROR: Could not find a version that satisfies the requirement x==503 (from versions: 1.0)",
      "REQUIREMENTS_REFUSED",
    ],
    ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "REQUIREMENTS_REFUSED"],
    ["ERROR: In --require-hashes mode, all requirements must have their versions pinned", "REQUIREMENTS_REFUSED"],
    ["", "REQUIREMENTS_REFUSED"],
  ])("%j is %s", (output, code) => {
    expect(pipFailure(output, "requirements.txt").code).toBe(code);
  });

  it("of the network says what the network said", () => {
    const line =
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip.HTTPConnection object at 0x7f9c>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/six/";
    const { message } = pipFailure(`${line}\nERROR: No matching distribution found for six`, "requirements.txt");
    expect(message).toMatch(
      /could not be downloaded: Failed to establish a new connection: \[Errno 111\] Connection refused$/,
    );
  });
});
