import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { isLeaving, type Pod } from "../../shared/src/kubernetes/objects.ts";
import { openPortForward, type PortForward } from "../../shared/src/kubernetes/port-forward.ts";
import type { ServicePort } from "../../shared/src/kubernetes/service.ts";

type Context = Pick<ActionContext, "log" | "clock" | "signal">;

/** Within what time a node reports that a container ended, after its connections broke: the kubelet looks once a second, and tells later. */
export const reportMilliseconds = 8_000;
const pollMilliseconds = 500;

/** Where the model answers, for as long as the tests run. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  /** Whether the way to it, rather than the model, is gone. */
  readonly broken: () => Promise<boolean>;
  /** Opens another way, once. Resolves with whether there is one. */
  readonly reconnect: () => Promise<boolean>;
  /**
   * Says that the server behind it ended since the tests began, if that is known.
   *
   * @param patienceMilliseconds for how long to ask again while it is not
   */
  readonly crashed: (patienceMilliseconds: number) => Promise<string | undefined>;
}

/** An address that needs no opening. */
export function fixedEndpoint(url: string): Endpoint {
  return {
    url,
    broken: async () => false,
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
  readonly #context: Context;
  #forward: PortForward;
  #restarts: number;
  #reconnected = false;

  private constructor(
    kubectl: Kubectl,
    namespace: string,
    service: ServicePort,
    context: Context,
    forward: PortForward,
    restarts: number,
  ) {
    this.#kubectl = kubectl;
    this.#namespace = namespace;
    this.#service = service;
    this.#context = context;
    this.#forward = forward;
    this.#restarts = restarts;
  }

  /** Throws as `openPortForward` does. */
  static async open(
    kubectl: Kubectl,
    namespace: string,
    service: ServicePort,
    context: Context,
  ): Promise<ForwardedEndpoint> {
    const forward = await openPortForward(kubectl, namespace, service);
    context.log.line(`port-forward to pod ${forward.pod}, port ${service.targetPort}, at ${forward.url}`);
    const pod = await kubectl.get<Pod>("pod", forward.pod, namespace);
    return new ForwardedEndpoint(kubectl, namespace, service, context, forward, restartsOf(pod));
  }

  get url(): string {
    return this.#forward.url;
  }

  async broken(): Promise<boolean> {
    return this.#forward.broken() || (await this.#podLeaves());
  }

  /** Connections to a pod that goes away may hang, and kubectl says nothing of it. A cluster that does not answer says nothing either. */
  async #podLeaves(): Promise<boolean> {
    try {
      const pod = await this.#pod();
      return !pod || isLeaving(pod);
    } catch {
      return false;
    }
  }

  async reconnect(): Promise<boolean> {
    if (this.#reconnected) return false;
    this.#reconnected = true;
    this.#context.log.line(`the port-forward to pod ${this.#forward.pod} broke; opening another one`);
    await this.#forward[Symbol.asyncDispose]();
    try {
      this.#forward = await openPortForward(this.#kubectl, this.#namespace, this.#service);
    } catch (error) {
      this.#context.log.line(`no other one could be opened: ${(error as Error).message}`);
      return false;
    }
    this.#restarts = restartsOf(await this.#pod());
    return true;
  }

  async crashed(patienceMilliseconds: number): Promise<string | undefined> {
    const { clock, signal } = this.#context;
    const giveUp = clock.now() + patienceMilliseconds;
    for (;;) {
      const pod = await this.#pod().catch(() => undefined);
      if (!pod || isLeaving(pod)) return undefined;
      const end = endOf(pod, this.#restarts);
      if (end !== undefined) return `the server in pod ${this.#forward.pod} ended ${end}`;
      if (clock.now() >= giveUp) return undefined;
      await clock.sleep(pollMilliseconds, signal);
    }
  }

  #pod(): Promise<Pod | undefined> {
    return this.#kubectl.get<Pod>("pod", this.#forward.pod, this.#namespace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forward[Symbol.asyncDispose]();
  }
}

/** With which exit code a container of the pod ended since it had restarted `restarts` times; undefined where none did. */
function endOf(pod: Pod, restarts: number): string | undefined {
  const statuses = pod.status?.containerStatuses ?? [];
  if (restartsOf(pod) <= restarts && !statuses.some(({ state }) => state?.terminated)) return undefined;
  const ended = statuses.map(({ state, lastState }) => state?.terminated ?? lastState?.terminated).find(Boolean);
  return `with exit code ${ended?.exitCode ?? "unknown"} (${ended?.reason ?? "unknown"})`;
}

function restartsOf(pod: Pod | undefined): number {
  return (pod?.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
