import { lchownSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { LabHome } from "./home.ts";

/** The files that the person who uses the lab reads and writes; the others belong to the lab's parts, which are root's. */
const FOR_CALLER = ["lab.json", "kubeconfig", "docker", "buildx", "home"];

function give(path: string, user: number, group: number): void {
  lchownSync(path, user, group);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) give(inner, user, group);
    else lchownSync(inner, user, group);
  }
}

/** When the lab runs through sudo: gives the user's files to the user who called. */
export function handToCaller(home: LabHome, environment: NodeJS.ProcessEnv = process.env): void {
  mkdirSync(join(home.state, "home"), { recursive: true });
  const { SUDO_UID, SUDO_GID } = environment;
  if (!SUDO_UID || !SUDO_GID) return;
  const [user, group] = [Number(SUDO_UID), Number(SUDO_GID)];
  lchownSync(home.state, user, group);
  for (const entry of readdirSync(home.state, { withFileTypes: true })) {
    if (!FOR_CALLER.includes(entry.name)) continue;
    const path = join(home.state, entry.name);
    if (entry.isDirectory()) give(path, user, group);
    else lchownSync(path, user, group);
  }
}
