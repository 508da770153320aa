import { describe, expect, inject, it } from "vitest";
import { attachStatement, readStatements } from "../../src/evidence/store.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { parseRepository } from "../../src/oci/reference.ts";
import { RegistryClient } from "../../src/oci/registry.ts";
import { pushTinyImage, statementOf } from "./statements.ts";

const { registry } = inject("lab").addresses;
const repository = parseRepository(`${registry}/evidence-${process.pid}/digits`);
const client = new RegistryClient(repository);

describe("statements in a real registry", () => {
  it("are read back from the oldest to the newest, in whatever order they were attached", async () => {
    const image = await pushTinyImage(client, "order");
    for (const minute of [3, 1, 2]) await attachStatement(client, image, statementOf(image, { minute }));
    const statements = await readStatements(client, image.digest);
    expect(statements).toEqual([1, 2, 3].map((minute) => statementOf(image, { minute })));
  });

  it("all survive when five runs attach theirs at the same time", async () => {
    const image = await pushTinyImage(client, "race");
    const minutes = [1, 2, 3, 4, 5];
    await Promise.all(
      minutes.map((minute) => attachStatement(new RegistryClient(repository), image, statementOf(image, { minute }))),
    );
    const statements = await readStatements(client, image.digest);
    expect(statements).toEqual(minutes.map((minute) => statementOf(image, { minute })));
  });

  it("of one image are not read for another", async () => {
    const [one, other] = [await pushTinyImage(client, "one"), await pushTinyImage(client, "other")];
    await attachStatement(client, one, statementOf(one));
    expect(await readStatements(client, other.digest)).toEqual([]);
    expect(await readStatements(client, digestOf("nowhere"))).toEqual([]);
  });

  it("say of another digest than the one that they are attached to are left out", async () => {
    const [one, other] = [await pushTinyImage(client, "honest"), await pushTinyImage(client, "copied onto")];
    await attachStatement(client, other, statementOf(one));
    expect(await readStatements(client, other.digest)).toEqual([]);
  });
});
