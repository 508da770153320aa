import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { cacheFolder, fill, isFilled, recipeHash, slotFolder } from "../../src/toolchain/cache.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();
const SLOT = { shelf: "tools/act", key: "1.0-abc" };

test.each([
  [{ MLOPS_ACTIONS_CACHE: "/big/disk", XDG_CACHE_HOME: "/xdg" }, "/big/disk"],
  [{ XDG_CACHE_HOME: "/xdg" }, "/xdg/mlops-actions"],
  [{ XDG_CACHE_HOME: "" }, join(homedir(), ".cache/mlops-actions")],
])("with %j the cache is %s", (environment, folder) => {
  expect(cacheFolder(environment)).toBe(folder);
});

test("a recipe's hash tells its parts from each other", () => {
  expect(recipeHash("ab", "c")).not.toBe(recipeHash("a", "bc"));
  expect(recipeHash("ab", "c")).toMatch(/^[0-9a-f]{12}$/);
});

test("two that fill the same slot at the same time make its content once", async () => {
  let made = 0;
  const make = async (folder: string) => {
    made++;
    await sleep(100);
    writeFileSync(join(folder, "content"), "x");
  };
  const folders = await Promise.all([fill(SLOT, scratch.step(), make), fill(SLOT, scratch.step(), make)]);
  expect(made).toBe(1);
  expect(folders).toEqual([slotFolder(SLOT), slotFolder(SLOT)]);
  expect(readFileSync(join(slotFolder(SLOT), "content"), "utf8")).toBe("x");
});

test("content that could not be finished is not there, and is made anew", async () => {
  const broken = fill(SLOT, scratch.step(), async (folder) => {
    writeFileSync(join(folder, "half"), "");
    throw new Error("interrupted");
  });
  await expect(broken).rejects.toThrow("interrupted");
  expect(isFilled(SLOT)).toBe(false);
  await fill(SLOT, scratch.step(), async (folder) => writeFileSync(join(folder, "whole"), ""));
  expect(readdirSync(slotFolder(SLOT)).sort()).toEqual([".complete", "whole"]);
});

test("content that is made in its final place does not count before it is complete", async () => {
  await fill(
    SLOT,
    scratch.step(),
    async (folder) => {
      expect(folder).toBe(slotFolder(SLOT));
      expect(isFilled(SLOT)).toBe(false);
    },
    { inPlace: true },
  );
  expect(isFilled(SLOT)).toBe(true);
});

test("work that was cancelled meanwhile is not kept", async () => {
  const controller = new AbortController();
  const filling = fill(SLOT, scratch.step(controller.signal), async () => controller.abort());
  await expect(filling).rejects.toMatchObject({ code: "CANCELLED" });
  expect(isFilled(SLOT)).toBe(false);
});

test("older builds go when they were not used for two weeks, and stay otherwise", async () => {
  const make = async () => undefined;
  const slot = (key: string) => ({ ...SLOT, key });
  for (const key of ["old", "recent"]) await fill(slot(key), scratch.step(), make);
  const threeWeeksAgo = new Date(Date.now() - 21 * 24 * 3600 * 1000);
  utimesSync(join(slotFolder(slot("old")), ".complete"), threeWeeksAgo, threeWeeksAgo);
  await fill(slot("new"), scratch.step(), make);
  expect(readdirSync(dirname(slotFolder(SLOT))).filter((name) => !name.startsWith("."))).toEqual(["new", "recent"]);
});

test("looking at a slot marks it as used", async () => {
  await fill(SLOT, scratch.step(), async () => undefined);
  const marker = join(slotFolder(SLOT), ".complete");
  utimesSync(marker, new Date(0), new Date(0));
  expect(isFilled(SLOT)).toBe(true);
  await fill({ ...SLOT, key: "other" }, scratch.step(), async () => undefined);
  expect(existsSync(marker)).toBe(true);
});
