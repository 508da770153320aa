import { ActionError } from "../action-runtime/error.ts";
import type { Kubectl } from "./kubectl.ts";
import { belongsToRelease, type Service } from "./objects.ts";

export interface ServiceQuery {
  readonly namespace: string;
  readonly release: string;
  /** Name of the Service; undefined for the only one of the release. */
  readonly service: string | undefined;
  /** Number or name of the port; undefined for the first. */
  readonly port?: string | undefined;
}

/** A Service's port, as clients and a port-forward need it. */
export interface ServicePort {
  readonly service: string;
  readonly port: number;
  /** Where the Service is also open on every node. */
  readonly nodePort: number | undefined;
  /** Number or name of the container's port. */
  readonly targetPort: number | string;
  readonly selector: Readonly<Record<string, string>>;
}

/** Finds the Service of a release. @throws ActionError `SERVICE_NOT_FOUND`, `SERVICE_AMBIGUOUS` */
export async function findServicePort(kubectl: Kubectl, query: ServiceQuery): Promise<ServicePort> {
  if (query.service !== undefined) {
    const named = await kubectl.get<Service>("service", query.service, query.namespace);
    if (!named) throw notFound(`there is no Service '${query.service}' in namespace ${query.namespace}`);
    return chooseServicePort([named], query);
  }
  return chooseServicePort(await kubectl.list<Service>("services", query.namespace), query);
}

/** The port of a release's Service among all Services of the namespace. Throws as `findServicePort` does. */
export function chooseServicePort(services: readonly Service[], query: ServiceQuery): ServicePort {
  const { release, namespace } = query;
  const ofRelease = services.filter((service) =>
    query.service === undefined
      ? belongsToRelease(service.metadata, release, namespace)
      : service.metadata?.name === query.service,
  );
  const withAddress = ofRelease.filter(({ spec }) => spec?.clusterIP !== "None");
  const candidates = withAddress.length > 0 ? withAddress : ofRelease;
  const [only, ...others] = candidates;
  if (!only) throw notFound(`release ${release} has no Service in namespace ${namespace}`);
  const names = candidates.map(({ metadata }) => metadata?.name ?? "");
  const chosen = others.length === 0 ? only : candidates.find(({ metadata }) => metadata?.name === release);
  if (!chosen)
    throw new ActionError("SERVICE_AMBIGUOUS", {
      message: `release ${release} has several Services in namespace ${namespace}: ${names.join(", ")}`,
      remedy: "name one with `service`",
    });
  return portOf(chosen, query.port);
}

function portOf(service: Service, wanted: string | undefined): ServicePort {
  const name = service.metadata?.name ?? "";
  const ports = service.spec?.ports ?? [];
  const port = wanted === undefined ? ports[0] : ports.find((one) => [String(one.port), one.name].includes(wanted));
  const known = ports.map((one) => (one.name ? `${one.port} (${one.name})` : String(one.port))).join(", ");
  if (!port) throw notFound(`Service ${name} has no port ${wanted ?? ""}; its ports: ${known || "none"}`);
  return {
    service: name,
    port: port.port,
    nodePort: port.nodePort,
    targetPort: (port.targetPort as number | string | undefined) ?? port.port,
    selector: service.spec?.selector ?? {},
  };
}

function notFound(message: string): ActionError {
  return new ActionError("SERVICE_NOT_FOUND", {
    message,
    remedy: "check `release`, `namespace`, `service` and `port`; the chart must make a Service for the model",
  });
}
