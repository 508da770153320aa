import type { Bench, Fleet } from "./bench.ts";
import { failed, type LoadReport, type LoadShape, type Target } from "./machine/load.ts";
import type { PinnedProcess } from "./machine/process.ts";
import type { Table } from "./report/finding.ts";
import { type Summary, show, summarise } from "./report/statistics.ts";
import type { ServerId } from "./servers/server.ts";
import type { Way } from "./wire/request.ts";

/** One way to one server, or one of the limits. */
export interface Entry {
  readonly owner: ServerId | "limit";
  readonly label: string;
  readonly run: (shape: LoadShape) => Promise<LoadReport>;
}

/** An entry's measurements, one a round. */
export interface Outcome {
  readonly entry: Entry;
  readonly shape: LoadShape;
  readonly reports: readonly LoadReport[];
}

/** Ways that were not answered right, by the entry's label. */
export type Faults = ReadonlyMap<string, string>;

/** An entry for each of these ways of each server that has it and answers it right. */
export async function enter(
  bench: Bench,
  fleet: Fleet,
  ways: readonly Way[],
): Promise<{ entries: Entry[]; faults: Faults }> {
  const entries: Entry[] = [];
  const faults = new Map<string, string>();
  for (const { id, title, ways: known } of bench.kinds) {
    for (const way of ways.filter((one) => known.includes(one))) {
      const label = ways.length > 1 ? `${title}, ${way}` : title;
      const verified = await fleet.verified(id, way);
      if ("fault" in verified) faults.set(label, verified.fault);
      else entries.push(entryOf(bench, id, label, verified.target, fleet.servers.get(id)?.process));
    }
  }
  await heat(bench, entries);
  return { entries, faults };
}

/** @param process whose processor time is measured with each load. */
export function entryOf(
  bench: Bench,
  owner: Entry["owner"],
  label: string,
  target: Target,
  process?: PinnedProcess,
): Entry {
  return { owner, label, run: (shape) => bench.generator.run(target, shape, process) };
}

/** Loads each entry once and drops the figures: compilers and allocators need a while until a server is at its best. */
export async function heat(bench: Bench, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) await entry.run({ connections: 16, rate: 0, seconds: bench.pace.heat, warmUp: 0 });
}

/** An entry with the load it gets. */
export interface Start {
  readonly entry: Entry;
  readonly shape: LoadShape;
}

/**
 * Measures entries in turns, A B C, then B C A and so on: what the machine does meanwhile meets them all alike.
 * @param rounds how often each is measured
 */
export async function contest(
  bench: Bench,
  what: string,
  starts: readonly Start[],
  rounds = bench.pace.runs,
): Promise<Outcome[]> {
  const reports = starts.map((): LoadReport[] => []);
  for (let round = 0; round < rounds; round++) {
    bench.say(`${what}: round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < starts.length; turn++) {
      const index = (turn + round) % starts.length;
      const start = starts[index];
      if (start) reports[index]?.push(await start.entry.run(start.shape));
    }
  }
  return starts.map((start, index) => ({ ...start, reports: reports[index] ?? [] }));
}

/** Closed loops with each number of connections. */
export function closedLoops(bench: Bench, entries: readonly Entry[], connections = bench.pace.connections): Start[] {
  const { seconds, warmUp } = bench.pace;
  return connections.flatMap((count) =>
    entries.map((entry) => ({ entry, shape: { connections: count, rate: 0, seconds, warmUp } })),
  );
}

export function throughputs({ reports }: Outcome): number[] {
  return reports.map(({ throughput }) => throughput);
}

export function percentiles({ reports }: Outcome): number[] {
  return reports.map(({ latency }) => latency.p99);
}

export function failures({ reports }: Outcome): number {
  return reports.reduce((sum, report) => sum + failed(report), 0);
}

/** The outcome with the highest median throughput among those without a failed request. */
export function best(outcomes: readonly Outcome[]): Outcome | undefined {
  const median = (outcome: Outcome) => summarise(throughputs(outcome)).median;
  return outcomes.filter((one) => failures(one) === 0).toSorted((one, other) => median(other) - median(one))[0];
}

export function ownedBy(outcomes: readonly Outcome[], owner: Entry["owner"]): Outcome[] {
  return outcomes.filter(({ entry }) => entry.owner === owner);
}

export function peersOf(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ entry: { owner } }) => owner !== "ours" && owner !== "limit");
}

const milliseconds = (values: readonly number[]): string => {
  const summary: Summary = summarise(values);
  return show(summary, summary.median < 10 ? 2 : 0);
};

/** A generator that used more of its core than this may have been the limit itself. */
const BUSY_GENERATOR = 0.9;

/**
 * Outcomes as a table, with what makes a figure doubtful said in it and what has no figure said below it.
 * @param remarks further lines below it
 */
export function outcomeTable(
  title: string,
  outcomes: readonly Outcome[],
  faults: Faults,
  remarks: readonly string[] = [],
): Table {
  const header = [
    "server",
    "connections",
    "rate",
    "answers/s",
    "p50 ms",
    "p99 ms",
    "failed",
    "server CPU",
    "per CPU s",
    "load CPU",
  ];
  const notes = [...faults].map(([label, fault]) => `${label}: ${fault}`);
  const starved = outcomes.filter(isStarved).map(({ entry }) => entry.label);
  if (starved.length > 0) notes.push(`The machine was busy with something else: ${[...new Set(starved)].join(", ")}`);
  return { title, rows: [header, ...outcomes.map(rowOf)], notes: [...notes, ...remarks] };
}

function rowOf(outcome: Outcome): string[] {
  const { entry, shape, reports } = outcome;
  const failed = failures(outcome);
  const errors = new Set(reports.flatMap((report) => Object.keys(report.errors)));
  const generator = summarise(reports.map(({ cpu }) => cpu)).median;
  const server = serverShare(outcome);
  return [
    entry.label,
    String(shape.connections),
    shape.rate === 0 ? "closed" : shape.rate.toFixed(0),
    perSecond(throughputs(outcome)),
    milliseconds(reports.map(({ latency }) => latency.p50)),
    milliseconds(percentiles(outcome)),
    failed === 0 ? "0" : `${failed}: ${[...errors].slice(0, 2).join("; ")}`,
    server === undefined ? "" : percent(server),
    server === undefined ? "" : (summarise(throughputs(outcome)).median / server).toFixed(0),
    `${percent(generator)}${generator > BUSY_GENERATOR ? " (the limit)" : ""}`,
  ];
}

function serverShare({ reports }: Outcome): number | undefined {
  const shares = reports.flatMap(({ serverCpu }) => (serverCpu === undefined ? [] : [serverCpu]));
  return shares.length === 0 ? undefined : summarise(shares).median;
}

/** In a closed loop a server that gets less of its core than this is kept from it by neither the load nor itself. */
const STARVED = 0.8;

function isStarved(outcome: Outcome): boolean {
  const generator = summarise(outcome.reports.map(({ cpu }) => cpu)).median;
  const starved = (serverShare(outcome) ?? 1) < STARVED;
  return outcome.shape.rate === 0 && outcome.entry.owner !== "limit" && starved && generator < STARVED;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/** Requests a second, in text. */
export function perSecond(values: readonly number[]): string {
  const summary = summarise(values);
  return show(summary, summary.median < 100 ? 1 : 0);
}

/** Outcomes for machines. */
export function outcomeData(outcomes: readonly Outcome[], faults: Faults): object {
  return {
    faults: Object.fromEntries(faults),
    outcomes: outcomes.map(({ entry, shape, reports }) => ({
      server: entry.label,
      owner: entry.owner,
      ...shape,
      reports,
    })),
  };
}
