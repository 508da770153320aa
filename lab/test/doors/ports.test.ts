import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { choosePorts, portsFrom } from "../../src/doors/ports.ts";

test("a lab gets the block that its id names, when all of it is free", async () => {
  expect(await choosePorts("00000002", async () => true)).toEqual(portsFrom(20_032));
});

test("a block with one taken port is passed over", async () => {
  const ports = await choosePorts("00000000", async (port) => port !== 20_009);
  expect(ports.registry).toBe(20_016);
});

test("after the last block comes the first", async () => {
  const ports = await choosePorts((779).toString(16), async (port) => port < 20_016);
  expect(ports).toEqual(portsFrom(20_000));
});

test("says so when no block is free", async () => {
  await expect(choosePorts("00000000", async () => false)).rejects.toMatchObject({ code: "NO_FREE_PORTS" });
});

test("a port that somebody listens on is not free", async () => {
  const [id, first] = ["0000002a", 20_000 + 42 * 16];
  const server = createServer();
  await once(server.listen({ host: "127.0.0.1", port: first + 3 }), "listening");
  expect((await choosePorts(id)).registry).not.toBe(first);
  server.close();
});

test("node ports are ten in a row, apart from the other ports", () => {
  expect(portsFrom(20_000)).toEqual({
    registry: 20_000,
    mlflow: 20_001,
    kubernetes: 20_002,
    nodePorts: [20_006, 20_015],
  });
});
