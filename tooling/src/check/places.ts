import { homedir } from "node:os";
import { root } from "../repository/repository.ts";
import type { Check } from "./check.ts";
import { listFiles, readText } from "./sources.ts";

/** Files that no person wrote, or that cannot be read as text. */
const exempt = /^(dist\/|LICENSE$)|\.(sum|png|onnx)$/;

/** Home folders other than the ones of images and hosted runners. */
const homes = String.raw`/(?:home|Users)/(?!runner/|node/|nonroot/|user/)[a-z][\w.-]*/`;

/** A package index or registry, where tools write or read it: packages are named, and each machine knows where to get them. */
const registries = `(?:"resolved": "|--(?:extra-)?index-url[ =]|^registry=)https?://[^/"]+`;

const places = new RegExp(`${homes}|${registries}`, "g");

/** What in a line belongs to one machine: a home folder, a package registry, one of the given folders of this machine. */
export function machinePlaces(line: string, folders: readonly string[]): string[] {
  return [...[...line.matchAll(places)].map(([place]) => place), ...folders.filter((folder) => line.includes(folder))];
}

/** No file names a folder or a package registry of the machine that it was written on. */
export const placesCheck: Check = {
  name: "no machine paths or registries",
  run: async () => {
    // A folder such as /root or /workspace is no secret of this machine; one below others is.
    const folders = [root, homedir()].filter((folder) => folder.split("/").length > 2);
    const paths = (await listFiles()).filter((path) => !exempt.test(path));
    const found = paths.map(async (path) => {
      const lines = (await readText(path)).split("\n");
      return lines.flatMap((line, index) =>
        machinePlaces(line, folders).map((place) => `${path}:${index + 1} names ${place}`),
      );
    });
    return (await Promise.all(found)).flat();
  },
};
