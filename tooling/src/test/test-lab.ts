import type {} from "vitest";
import type { LabAddresses } from "../../../lab/src/environment.ts";
import { closeLab, openLab, stepLogs } from "../../../lab/src/lab.ts";
import { findNamespaces } from "../../../lab/src/namespaces/namespaces.ts";
import { Progress } from "../../../lab/src/progress/progress.ts";
import { labHome } from "../../../lab/src/state/home.ts";

/** The lab of the tests; a person's own lab has another name, and both can be up. */
const name = "test";

/** What a `*.lab.test.ts` gets by `inject("lab")`. */
export interface ProvidedLab {
  readonly name: string;
  readonly addresses: LabAddresses;
  /** Variables of a machine that uses the lab, which are also set in the test's process. */
  readonly environment: Readonly<Record<string, string>>;
}

declare module "vitest" {
  export interface ProvidedContext {
    lab: ProvidedLab;
  }
}

/** A lab that the tests may use. */
export interface TestLab {
  readonly provided: ProvidedLab;
  /** Takes the lab down, unless it was up before. Its data stays when `keepData`, for whoever looks for the cause. */
  close(keepData: boolean): Promise<void>;
}

/**
 * Opens the lab of the tests: new and empty, or as it is when somebody has brought it up to run tests again and again
 * (`npm run lab -- up --name test`).
 *
 * @throws LabError when it cannot be opened; what did start is taken down.
 */
export async function openTestLab(signal: AbortSignal): Promise<TestLab> {
  const wasUp = findNamespaces(labHome(name)) !== undefined;
  const close = async (keepData: boolean) => {
    if (wasUp) return;
    await closeLab({ name, purge: !keepData }, new Progress({ logs: stepLogs(name) }));
    if (keepData) console.error(`the lab's data and logs are kept in ${labHome(name).state}`);
  };
  const progress = new Progress({ logs: stepLogs(name), signal });
  if (!wasUp) await closeLab({ name, purge: true }, progress);
  try {
    const { addresses, environment } = await openLab({ name }, progress);
    return { provided: { name, addresses, environment }, close };
  } catch (error) {
    await close(!signal.aborted);
    throw error;
  }
}
