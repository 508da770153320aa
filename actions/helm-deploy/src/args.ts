/** What `helm upgrade --install` is asked for. */
export interface Upgrade {
  readonly release: string;
  readonly namespace: string;
  /** A folder or an oci:// address. */
  readonly chart: string;
  readonly chartVersion: string | undefined;
  readonly values: readonly string[];
  readonly set: readonly string[];
  /** Values that are texts whatever they look like; they win over all others. */
  readonly setString: readonly (readonly [key: string, value: string])[];
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly plainHttp: boolean;
}

/**
 * Arguments of `helm upgrade`. `--atomic` (Helm 4: `--rollback-on-failure`) is not among them: it would take the pods away
 * before anyone could ask them why they failed.
 */
export function upgradeArguments(major: number, upgrade: Upgrade): string[] {
  const { release, chart, namespace, chartVersion, values, set, setString, labels, description } = upgrade;
  return [
    "upgrade",
    release,
    chart,
    "--install",
    "--reset-values",
    ...scope(namespace, upgrade.timeoutSeconds),
    waitFlag(major),
    "--wait-for-jobs",
    ...(chartVersion === undefined ? [] : ["--version", chartVersion]),
    ...values.flatMap((file) => ["--values", file]),
    ...set.flatMap((line) => ["--set", line]),
    ...setString.flatMap(([key, value]) => ["--set-string", `${key}=${value.replaceAll(",", "\\,")}`]),
    "--labels",
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    "--description",
    description,
    ...(upgrade.plainHttp ? ["--plain-http"] : []),
  ];
}

export interface Rollback {
  readonly release: string;
  readonly namespace: string;
  readonly revision: number;
  readonly timeoutSeconds: number;
  /** Whether to wait until the workloads are ready. */
  readonly wait: boolean;
}

export function rollbackArguments(major: number, rollback: Rollback): string[] {
  const { release, namespace, revision, timeoutSeconds, wait } = rollback;
  return [
    "rollback",
    release,
    String(revision),
    ...scope(namespace, timeoutSeconds),
    ...(wait ? [waitFlag(major)] : []),
  ];
}

export function uninstallArguments(
  major: number,
  { release, namespace, timeoutSeconds }: Omit<Rollback, "revision" | "wait">,
): string[] {
  return ["uninstall", release, ...scope(namespace, timeoutSeconds), waitFlag(major)];
}

function scope(namespace: string, timeoutSeconds: number): string[] {
  return ["--namespace", namespace, "--timeout", `${timeoutSeconds}s`];
}

/** Helm 4 has several ways to wait; its default differs between commands. Source: helm 4, pkg/cmd/flags.go. */
function waitFlag(major: number): string {
  return major >= 4 ? "--wait=watcher" : "--wait";
}
