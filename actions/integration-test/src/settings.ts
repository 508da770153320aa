import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { type ImageReference, parseImageReference } from "../../shared/src/oci/reference.ts";
import type { IntegrationTestInputs } from "./inputs.ts";

/** Where the model is reached: at an address, or through a port-forward to a Service. */
export type Place =
  | { readonly kind: "endpoint"; readonly url: string }
  | {
      readonly kind: "cluster";
      readonly namespace: string;
      readonly release: string;
      readonly service: string | undefined;
      readonly port: string | undefined;
    };

/** What is spoken there. */
export type Protocol =
  | { readonly kind: "open-inference"; readonly model: string; readonly readyPath: string }
  | { readonly kind: "http"; readonly readyPath: string };

/** A load at a fixed arrival rate, with what it must not exceed. */
export interface LoadSettings {
  /** Requests a second. */
  readonly rate: number;
  readonly durationMilliseconds: number;
  /** Highest allowed latency of 99 % of the requests, in milliseconds; undefined: measured, not judged. */
  readonly p99: number | undefined;
  /** Highest allowed share of failed requests, from 0 to 1. */
  readonly errors: number;
}

export interface Settings {
  readonly place: Place;
  readonly protocol: Protocol;
  /** The image that the tests speak of; without one, no evidence is recorded. */
  readonly subject: { readonly image: ImageReference; readonly environment: string } | undefined;
  readonly load: LoadSettings | undefined;
}

/** With fewer answers the 99th percentile is the largest value, or none at all. */
export const fewestSamples = 100;

/** Rules that span inputs. @throws ActionError `INPUT_INVALID`, `IMAGE_NAME_INVALID`, `DIGEST_INVALID` */
export function readSettings(given: IntegrationTestInputs): Settings {
  return { place: placeOf(given), protocol: protocolOf(given), subject: subjectOf(given), load: loadOf(given) };
}

function placeOf({ endpoint, namespace, release, service, port }: IntegrationTestInputs): Place {
  if (endpoint !== undefined) return { kind: "endpoint", url: endpoint.replace(/\/+$/, "") };
  if (namespace === undefined || release === undefined)
    throw invalid("neither 'endpoint' nor both of 'namespace' and 'release' were given", "say where the model is");
  return { kind: "cluster", namespace, release, service, port };
}

function protocolOf({ protocol, model, golden, "ready-path": readyPath }: IntegrationTestInputs): Protocol {
  if (protocol === "http") {
    if (golden !== undefined)
      throw invalid(
        "'golden' holds requests of the Open Inference Protocol, but 'protocol' is http",
        "leave out `golden`, or set `protocol: open-inference`",
      );
    return { kind: "http", readyPath: readyPath ?? "/" };
  }
  if (model === undefined)
    throw invalid(
      "input 'model' is required by the protocol and was not given",
      "name the model as the server knows it",
    );
  return { kind: "open-inference", model, readyPath: readyPath ?? `/v2/models/${encodeURIComponent(model)}/ready` };
}

function subjectOf({ image, environment }: IntegrationTestInputs): Settings["subject"] {
  if (image === undefined) return undefined;
  if (environment === undefined)
    throw invalid("'image' was given without 'environment'", "name the environment, as the evidence speaks of it");
  return { image: parseImageReference(image), environment };
}

function loadOf({ rate, duration, p99, errors }: IntegrationTestInputs): LoadSettings | undefined {
  if (rate === undefined) return undefined;
  const requests = Math.floor((rate * duration) / 1_000);
  if (p99 !== undefined && requests < fewestSamples)
    throw invalid(
      `${rate} requests a second for ${duration / 1_000} s are ${requests}, too few for a 99th percentile`,
      `raise rate or duration to at least ${fewestSamples} requests`,
    );
  return { rate, durationMilliseconds: duration, p99, errors };
}

function invalid(message: string, remedy: string): ActionError {
  return new ActionError("INPUT_INVALID", { message, remedy });
}
