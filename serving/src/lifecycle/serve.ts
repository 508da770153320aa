import { once } from "node:events";
import type { Settings } from "../config/settings.ts";
import { openModel } from "../execution/open-model.ts";
import type { Logger } from "../logging/logger.ts";
import { limitLines } from "../logging/rate-limit.ts";
import { ModelCatalog } from "../models/catalog.ts";
import { RepositoryPoll } from "../models/repository-poll.ts";
import { BytesElements } from "../protocol/bytes-elements.ts";
import { readLimits } from "../runtime/cgroup.ts";
import { ServerTls } from "../security/tls.ts";
import { BearerTokens } from "../security/tokens.ts";
import type { Service } from "../service.ts";
import { observe } from "../telemetry/observe.ts";
import { drain } from "./drain.ts";
import { Listeners } from "./listeners.ts";

/**
 * Listens, loads the models, serves until `stop` is aborted, then drains. Health answers from the start; readiness comes
 * when every model (or one, if that is enough) is loaded and warm.
 *
 * @param version this server's own version
 * @param stop aborted when the process is asked to end
 * @throws ModelError when no model can be served, ListenError when an address cannot be had, SettingsError when a file that
 *   the settings name cannot be used
 */
export async function serve(settings: Settings, version: string, log: Logger, stop: AbortSignal): Promise<void> {
  const started = performance.now();
  const { tls: tlsFiles, authTokensFile } = settings;
  const tls = tlsFiles === undefined ? undefined : await ServerTls.load(tlsFiles, log);
  const tokens = authTokensFile === undefined ? undefined : await BearerTokens.load(authTokensFile, log);
  const observation = await observe(version, () => catalog, log, { logRequests: settings.logRequests });
  const catalog = await ModelCatalog.create({
    repository: settings.modelRepository,
    settings: settings.execution,
    open: openModel,
    executions: (model, modelVersion) => observation.telemetry.executions(model, modelVersion),
    log,
  });
  let isServing = false;
  const isReady = () => (settings.readyWhen === "all" ? catalog.allReady() : catalog.models().length > 0);
  const service: Service = {
    catalog,
    isReady: () => isServing && isReady(),
    version,
    modelControl: settings.modelControl,
    maxBodyBytes: settings.maxBodyBytes,
    maxJsonBytes: settings.maxJsonBytes,
    maxTensors: settings.maxTensors,
    bytesElements: new BytesElements(settings.maxBytesElements, readLimits().memoryBytes),
    requestTimeoutMs: settings.requestTimeoutMs,
    telemetry: observation.telemetry,
    log: limitLines(log),
    isAuthorized: (authorization) => tokens?.isAuthorized(authorization) ?? true,
  };
  const listeners = await Listeners.open(settings, service, observation.metrics, tls);
  log.info("listening", { address: settings.host, ...listeners.ports, version });
  try {
    await catalog.start(stop);
  } catch (error) {
    listeners.destroy();
    throw error;
  }
  let stopPolling: (() => unknown) | undefined;
  if (!stop.aborted) {
    isServing = true;
    const milliseconds = Math.round(performance.now() - started);
    if (isReady()) log.info("ready", { models: catalog.models().length, milliseconds });
    if (!catalog.allReady())
      log.error(`${isReady() ? "" : "not ready: "}not every model could be loaded`, {
        models: catalog.models().length,
        milliseconds,
      });
    if (settings.repositoryPollSeconds > 0) {
      const poll = new RepositoryPoll(settings.modelRepository, catalog, log);
      stopPolling = poll.every(settings.repositoryPollSeconds * 1000);
    }
    await once(stop, "abort");
  }
  // A server that serves nothing got no traffic: nobody has to learn that it leaves.
  const seconds = isServing && catalog.models().length > 0 ? settings.drainSeconds : 0;
  isServing = false;
  log.info("draining", { seconds });
  try {
    await drain(listeners, { stillAnswerMs: seconds * 1000, inFlightMs: settings.inFlightSeconds * 1000 });
  } finally {
    tls?.close();
    tokens?.close();
    stopPolling?.();
    await observation.shutdown();
  }
  log.info("stopped");
}
