import { readFileSync, writeSync } from "node:fs";
import { SettingsError } from "./config/error.ts";
import { helpText } from "./config/help.ts";
import { readSettings } from "./config/settings.ts";
import { lowerHelperThreads } from "./lifecycle/helper-threads.ts";
import { stopSignal } from "./lifecycle/process.ts";
import { serve } from "./lifecycle/serve.ts";
import { createLogger } from "./logging/logger.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };

try {
  const settings = await readSettings(process.argv.slice(2), process.env);
  if (settings === "help") process.stdout.write(helpText());
  else if (settings === "version") process.stdout.write(`${manifest.version}\n`);
  else {
    lowerHelperThreads();
    await serve(settings, manifest.version, createLogger({ level: settings.logLevel }), stopSignal());
  }
  process.exit(0);
} catch (error) {
  // One line for a person who reads the container's log; written at once, since the process ends.
  const message = error instanceof Error ? error.message : String(error);
  writeSync(2, `model-server: ${message}\n`);
  process.exit(error instanceof SettingsError ? 2 : 1);
}
