import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { SettingsError } from "../config/error.ts";

/** By the names of OTEL_TRACES_SAMPLER. */
const SAMPLERS: Readonly<Record<string, (ratio: () => number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio()),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio()) }),
};

/**
 * Which traces are sampled, by OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG. The SDK for Node leaves both to its users.
 *
 * @throws SettingsError
 */
export function samplerOf(environment: NodeJS.ProcessEnv): Sampler {
  const name = environment.OTEL_TRACES_SAMPLER || "parentbased_always_on";
  const create = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (create === undefined) {
    throw new SettingsError(`OTEL_TRACES_SAMPLER is '${name}', expected one of ${Object.keys(SAMPLERS).join(", ")}`);
  }
  return create(() => ratioOf(environment));
}

function ratioOf({ OTEL_TRACES_SAMPLER_ARG: text }: NodeJS.ProcessEnv): number {
  if (!text) return 1;
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new SettingsError(`OTEL_TRACES_SAMPLER_ARG is '${text}', expected a number from 0 to 1`);
  }
  return ratio;
}
