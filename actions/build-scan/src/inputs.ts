import { choice, duration, flag, type Inputs, lines, secret, text } from "../../shared/src/action-runtime/inputs.ts";
import { parseRepository } from "../../shared/src/oci/reference.ts";
import { severities } from "./gate.ts";

export const inputs = {
  image: text().transform((name, context) => {
    try {
      return parseRepository(name);
    } catch (error) {
      context.addIssue((error as Error).message);
      return undefined as never;
    }
  }),
  context: text().default("."),
  dockerfile: text().default("Dockerfile"),
  "build-args": lines().refine(
    (args) => args.every((arg) => /^[A-Za-z_]\w*=/.test(arg)),
    "expected NAME=value on each line",
  ),
  platform: text()
    .regex(/^[a-z0-9]+\/[a-z0-9]+(\/v\d+)?$/, "expected one platform such as linux/amd64")
    .default("linux/amd64"),
  "fail-on": choice(severities, "critical"),
  ignore: lines(),
  push: flag(true),
  tag: text().optional(),
  model: text().optional(),
  "model-version": text().optional(),
  timeout: duration("30m"),
  "registry-username": text().optional(),
  "registry-password": secret(),
};

export type BuildScanInputs = Inputs<typeof inputs>;
