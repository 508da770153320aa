import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import type { Pod } from "../../shared/src/kubernetes/objects.ts";
import { openPortForward, type PortForward } from "../../shared/src/kubernetes/port-forward.ts";
import type { ServicePort } from "../../shared/src/kubernetes/service.ts";

/** Where the model answers, for as long as the tests run. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  /** Whether the way to it, rather than the model, is gone. */
  readonly broken: () => boolean;
  /** Opens another way, once. Resolves with whether there is one. */
  readonly reconnect: () => Promise<boolean>;
  /** Says that the server behind it ended since the tests began, if that is known. */
  readonly crashed: () => Promise<string | undefined>;
}

/** An address that needs no opening. */
export function fixedEndpoint(url: string): Endpoint {
  return {
    url,
    broken: () => false,
    reconnect: async () => false,
    crashed: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A port-forward to a ready pod of a Service, which is opened again once when it breaks. */
export class ForwardedEndpoint implements Endpoint {
  readonly #kubectl: Kubectl;
  readonly #namespace: string;
  readonly #service: ServicePort;
  readonly #log: ActionContext["log"];
  #forward: PortForward;
  #restarts: number;
  #reconnected = false;

  private constructor(
    kubectl: Kubectl,
    namespace: string,
    service: ServicePort,
    log: ActionContext["log"],
    forward: PortForward,
    restarts: number,
  ) {
    this.#kubectl = kubectl;
    this.#namespace = namespace;
    this.#service = service;
    this.#log = log;
    this.#forward = forward;
    this.#restarts = restarts;
  }

  /** Throws as `openPortForward` does. */
  static async open(
    kubectl: Kubectl,
    namespace: string,
    service: ServicePort,
    { log }: Pick<ActionContext, "log">,
  ): Promise<ForwardedEndpoint> {
    const forward = await openPortForward(kubectl, namespace, service);
    log.line(`port-forward to pod ${forward.pod}, port ${service.targetPort}, at ${forward.url}`);
    const pod = await kubectl.get<Pod>("pod", forward.pod, namespace);
    return new ForwardedEndpoint(kubectl, namespace, service, log, forward, restartsOf(pod));
  }

  get url(): string {
    return this.#forward.url;
  }

  broken(): boolean {
    return this.#forward.broken();
  }

  async reconnect(): Promise<boolean> {
    if (this.#reconnected) return false;
    this.#reconnected = true;
    this.#log.line(`the port-forward to pod ${this.#forward.pod} broke; opening another one`);
    await this.#forward[Symbol.asyncDispose]();
    try {
      this.#forward = await openPortForward(this.#kubectl, this.#namespace, this.#service);
    } catch (error) {
      this.#log.line(`no other one could be opened: ${(error as Error).message}`);
      return false;
    }
    this.#restarts = restartsOf(await this.#kubectl.get<Pod>("pod", this.#forward.pod, this.#namespace));
    return true;
  }

  async crashed(): Promise<string | undefined> {
    const name = this.#forward.pod;
    const pod = await this.#kubectl.get<Pod>("pod", name, this.#namespace).catch(() => undefined);
    if (!pod || pod.metadata?.deletionTimestamp !== undefined) return undefined;
    const statuses = pod.status?.containerStatuses ?? [];
    const ended = statuses.map(({ state, lastState }) => state?.terminated ?? lastState?.terminated).find(Boolean);
    const restarted = restartsOf(pod) > this.#restarts || statuses.some(({ state }) => state?.terminated);
    if (!restarted) return undefined;
    return `the server in pod ${name} ended with exit code ${ended?.exitCode ?? "unknown"} (${ended?.reason ?? "unknown"})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forward[Symbol.asyncDispose]();
  }
}

function restartsOf(pod: Pod | undefined): number {
  return (pod?.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
