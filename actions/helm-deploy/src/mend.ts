import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { rollbackArguments, uninstallArguments } from "./args.ts";
import { type Helm, lastLine } from "./helm.ts";
import { revisionSecret } from "./left-revision.ts";
import { type ReleaseState, type Revision, releaseState } from "./release-history.ts";
import { heldUntil, runLabel } from "./release-lock.ts";
import type { Target } from "./supervise.ts";

/**
 * The state of a release that nobody is working on. A revision that another run has begun is waited for, as long as that
 * run may be alive; one that a killed run left unfinished is mended, since Helm refuses every upgrade after it
 * (helm/helm#7476): back to the last deployed revision, or uninstalled if there was none.
 *
 * @throws ActionError `RELEASE_LOCKED` (inconclusive), `RELEASE_NOT_MENDED`
 */
export async function settledRelease(
  target: Target,
  timeoutMilliseconds: number,
  { helm, kubectl }: { readonly helm: Helm; readonly kubectl: Kubectl },
  context: ActionContext,
): Promise<ReleaseState> {
  const { clock, log, signal, environment } = context;
  const read = async () => releaseState(await helm.history(target.release, target.namespace));
  const giveUp = clock.now() + timeoutMilliseconds;
  for (let announced = false; ; announced = true) {
    const state = await read();
    if (!state.pending) return state;
    const labels = await labelsOf(kubectl, target, state.pending);
    const until = heldUntil(state.pending, labels, runLabel(environment), timeoutMilliseconds);
    if (clock.now() >= until) {
      await mend(state.pending, state.deployed, target, timeoutMilliseconds, helm, context);
      return await read();
    }
    if (clock.now() >= giveUp) throw locked(target, state.pending, until);
    if (!announced) log.line(`${describe(state.pending)} of another run is in progress; waiting for its end`);
    await clock.sleep(Math.min(3_000, Math.max(0, until - clock.now()) + 1), signal);
  }
}

async function mend(
  pending: Revision,
  deployed: Revision | undefined,
  { release, namespace }: Target,
  timeoutMilliseconds: number,
  helm: Helm,
  { log }: ActionContext,
): Promise<void> {
  const timeoutSeconds = Math.ceil(timeoutMilliseconds / 1_000);
  const scope = { release, namespace, timeoutSeconds };
  const goal = deployed ? `back to revision ${deployed.revision}` : "uninstalled: nothing was deployed before";
  log.line(`${describe(pending)} was left unfinished by a run that is gone; mending: ${goal}`);
  const args = deployed
    ? rollbackArguments(helm.major, { ...scope, revision: deployed.revision, wait: false })
    : uninstallArguments(helm.major, scope);
  const result = await helm.run(args, { timeoutMilliseconds: timeoutMilliseconds + 30_000 });
  if (result.exitCode === 0) return;
  throw new ActionError("RELEASE_NOT_MENDED", {
    message: `release ${release} in namespace ${namespace} was left unfinished at ${describe(pending)}, and mending it (${goal}) failed: ${lastLine(result.stderr)}`,
    remedy: `mend it by hand: helm ${args[0]} ${release} -n ${namespace}, then re-run`,
    blame: "inconclusive",
  });
}

/** Labels of a revision's record: Helm keeps each revision as a Secret, and only its metadata is read here. */
async function labelsOf(kubectl: Kubectl, { release, namespace }: Target, { revision }: Revision) {
  const name = revisionSecret({ release }, revision);
  const args = [
    "get",
    "secret",
    name,
    "--namespace",
    namespace,
    "--ignore-not-found",
    "-o",
    "jsonpath={.metadata.labels}",
  ];
  const result = await kubectl.run([...args, "--request-timeout=15s"]);
  if (result.exitCode !== 0 || result.stdout.trim() === "") return {};
  return JSON.parse(result.stdout) as Record<string, string>;
}

function describe({ revision, status, updated }: Revision): string {
  return `revision ${revision} (${status} since ${updated.slice(0, 19)}Z)`;
}

export function locked({ release, namespace }: Target, pending: Revision | undefined, until: number): ActionError {
  const which = pending ? `: ${describe(pending)}` : "";
  const end = Number.isFinite(until) ? ` It is taken to be dead at ${new Date(until).toISOString()}.` : "";
  return new ActionError("RELEASE_LOCKED", {
    message: `another run is changing release ${release} in namespace ${namespace}${which}.${end}`,
    remedy:
      "let only one run at a time deploy to an environment (`concurrency` in the workflow), and re-run after that one",
    blame: "inconclusive",
  });
}
