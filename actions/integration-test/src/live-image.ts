import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { isReady } from "../../shared/src/kubernetes/objects.ts";
import { podsBehind } from "../../shared/src/kubernetes/port-forward.ts";
import { ImageIdentity } from "../../shared/src/kubernetes/running-image.ts";
import type { ServicePort } from "../../shared/src/kubernetes/service.ts";
import { shortDigest } from "../../shared/src/oci/digest.ts";
import type { ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";

/**
 * Waits until the Service has a ready pod and all of its ready pods run the image: right after a deployment the old pods may
 * still answer for a moment, and a test of them would prove nothing about the new ones.
 *
 * @throws ActionError `DIGEST_NOT_LIVE`; `SERVICE_NOT_READY` (inconclusive)
 */
export async function waitForImage(
  kubectl: Kubectl,
  namespace: string,
  service: ServicePort,
  subject: { readonly image: ImageReference; readonly registry: RegistryClient } | undefined,
  timeoutMilliseconds: number,
  { clock, signal, log }: ActionContext,
): Promise<void> {
  const identity = subject && new ImageIdentity(subject.registry, subject.image);
  const giveUp = clock.now() + timeoutMilliseconds;
  let printed = "";
  for (;;) {
    const ready = (await podsBehind(kubectl, namespace, service)).filter(isReady);
    const [stranger] = identity ? await identity.strangers(ready) : [];
    if (ready.length > 0 && !stranger) return;
    const state = stranger
      ? `pod ${stranger.pod} behind Service ${service.service} runs ${stranger.digest ? shortDigest(stranger.digest) : "another image"}`
      : `no pod behind Service ${service.service} is ready`;
    if (clock.now() >= giveUp) throw notLive(state, stranger !== undefined, subject?.image);
    if (state !== printed) log.line(`waiting: ${state}`);
    printed = state;
    await clock.sleep(1_000, signal);
  }
}

function notLive(state: string, strange: boolean, image: ImageReference | undefined): ActionError {
  if (strange && image)
    return new ActionError("DIGEST_NOT_LIVE", {
      message: `${state}, not ${shortDigest(image.digest)}: testing it would prove nothing about that image`,
      remedy: "deploy this digest first, and let no other run deploy to the environment meanwhile (`concurrency`)",
    });
  return new ActionError("SERVICE_NOT_READY", {
    message: state,
    remedy: "see the pods' events; deploy again, or raise `timeout` if the model takes long to load",
    blame: "inconclusive",
  });
}
