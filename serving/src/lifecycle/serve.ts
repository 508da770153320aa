import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "../config/settings.ts";
import { Connections } from "../http/connections.ts";
import { createHttpServer } from "../http/server.ts";
import type { Logger } from "../logging/logger.ts";
import { loadModel, warmUp } from "../models/model.ts";
import { ModelStore } from "../models/model-store.ts";
import { listModels, type ModelLocation } from "../models/repository-folder.ts";
import { drain } from "./drain.ts";

/** The server cannot listen; the message names the address. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Listens, loads the models, serves until `stop` is aborted, then drains. Health answers from the start; readiness
 * comes when every model is loaded and warm.
 *
 * @param version this server's own version
 * @param stop aborted when the process is asked to end
 * @throws ModelError when a model cannot be served, ListenError when the address cannot be had
 */
export async function serve(settings: Settings, version: string, log: Logger, stop: AbortSignal): Promise<void> {
  const started = performance.now();
  const locations = await listModels(settings.modelRepository);
  const models = new ModelStore(locations);
  let ready = false;
  const { maxBodyBytes } = settings;
  const server = createHttpServer({ models, isReady: () => ready, version, maxBodyBytes }, log);
  const connections = new Connections(server);
  const { address, port } = await listen(server, settings);
  log.info("listening", { address, port, version });
  try {
    for (const location of locations) {
      // A turn of the event loop between two models: probes are answered, SIGTERM is heard.
      await sleep(0);
      if (stop.aborted) break;
      await load(location, settings, models, log);
    }
  } catch (error) {
    server.closeAllConnections();
    server.close();
    throw error;
  }
  if (!stop.aborted) {
    ready = true;
    log.info("ready", { models: locations.length, milliseconds: millisecondsSince(started) });
    await once(stop, "abort");
  }
  // A server that never was ready got no traffic: nobody has to learn that it leaves.
  const seconds = ready ? settings.drainSeconds : 0;
  ready = false;
  log.info("draining", { seconds });
  await drain(server, connections, { stillAnswerMs: seconds * 1000 });
  log.info("stopped");
}

async function load(location: ModelLocation, settings: Settings, models: ModelStore, log: Logger): Promise<void> {
  const started = performance.now();
  const model = await loadModel(location, settings);
  const fault = await warmUp(model);
  const fields = { model: model.name, version: model.version };
  if (fault !== undefined) log.warn("warm-up failed, served without", { ...fields, reason: fault });
  models.add(model);
  log.info("model loaded", { ...fields, milliseconds: millisecondsSince(started) });
}

async function listen(server: Server, { host, port }: Settings): Promise<AddressInfo> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "the port is taken" : code === "EACCES" ? "permission denied" : message;
    throw new ListenError(`cannot listen on ${host} port ${port}: ${reason}`);
  }
  return server.address() as AddressInfo;
}

function millisecondsSince(start: number): number {
  return Math.round(performance.now() - start);
}
