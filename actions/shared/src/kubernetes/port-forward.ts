import { ActionError } from "../action-runtime/error.ts";
import type { Kubectl } from "./kubectl.ts";
import { isReady, type Pod } from "./objects.ts";
import type { ServicePort } from "./service.ts";

/** A way from this machine to one ready pod behind a Service. */
export interface PortForward extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly pod: string;
  /** Whether the way is gone: its pod ended, or the cluster did not answer. */
  readonly broken: () => boolean;
}

const openingMilliseconds = 20_000;

/**
 * Opens a port-forward to a ready pod of a Service on a free port of the loopback interface.
 *
 * @throws ActionError `SERVICE_NOT_READY` (inconclusive) without a ready pod, `PORT_FORWARD_FAILED` (inconclusive)
 */
export async function openPortForward(kubectl: Kubectl, namespace: string, service: ServicePort): Promise<PortForward> {
  const ready = (await podsBehind(kubectl, namespace, service)).filter(isReady);
  const pod = ready.sort((a, b) => startTime(b) - startTime(a))[0];
  const name = pod?.metadata?.name;
  if (!pod || !name)
    throw new ActionError("SERVICE_NOT_READY", {
      message: `no pod behind Service ${service.service} in namespace ${namespace} is ready`,
      remedy: "see the pods' events; deploy again, or give the model more time to load",
      blame: "inconclusive",
    });
  const port = containerPort(pod, service);
  const end = new AbortController();
  const opened = Promise.withResolvers<string>();
  const said: string[] = [];
  let broken = false;
  const ended = kubectl
    .run(["port-forward", `pod/${name}`, `:${port}`, "--address", "127.0.0.1", "--namespace", namespace], {
      signal: AbortSignal.any([end.signal, kubectl.signal]),
      timeoutMilliseconds: 24 * 3_600_000,
      graceMilliseconds: 1_000,
      keep: 65_536,
      onLine: (line, stream) => {
        const match = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line);
        if (match) opened.resolve(`http://127.0.0.1:${match[1]}`);
        if (stream === "stderr") said.push(line);
        if (/lost connection to pod/.test(line)) broken = true;
      },
    })
    .catch(() => undefined)
    .then(() => {
      broken = true;
      opened.reject(failed(name, said.slice(-3).join(" ") || "kubectl ended without a word"));
    });
  const timer = setTimeout(
    () => opened.reject(failed(name, `nothing was forwarded within ${openingMilliseconds / 1_000} s`)),
    openingMilliseconds,
  );
  const close = async () => {
    end.abort(new Error("no longer needed"));
    await ended;
  };
  try {
    const url = await opened.promise;
    return { url, pod: name, broken: () => broken, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** All pods that a Service selects. */
export async function podsBehind(kubectl: Kubectl, namespace: string, service: ServicePort): Promise<readonly Pod[]> {
  const selector = Object.entries(service.selector).map(([key, value]) => `${key}=${value}`);
  return selector.length === 0 ? [] : await kubectl.list<Pod>("pods", namespace, selector.join(","));
}

function startTime(pod: Pod): number {
  return Date.parse(pod.status?.startTime ?? "") || 0;
}

function containerPort(pod: Pod, { targetPort }: ServicePort): number {
  if (typeof targetPort === "number") return targetPort;
  const ports = (pod.spec?.containers ?? []).flatMap(({ ports }) => ports ?? []);
  const named = ports.find(({ name }) => name === targetPort);
  if (named) return named.containerPort;
  throw failed(pod.metadata?.name ?? "", `it has no port named '${targetPort}'`);
}

function failed(pod: string, why: string): ActionError {
  return new ActionError("PORT_FORWARD_FAILED", {
    message: `no way to pod ${pod} could be opened: ${why}`,
    remedy: "check that the kubeconfig's user may create pods/portforward, or give `endpoint` instead of a kubeconfig",
    blame: "inconclusive",
  });
}
