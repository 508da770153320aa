import { spawnSync } from "node:child_process";
import { root } from "../repository/repository.ts";

const help = `Formats and mends what can be mended safely.

usage: npm run format [-- PATH…]
`;

const paths = process.argv.slice(2);
if (paths.includes("--help") || paths.includes("-h")) {
  process.stdout.write(help);
} else {
  const { status } = spawnSync("biome", ["check", "--write", "--error-on-warnings", ...paths], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
