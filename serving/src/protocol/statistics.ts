import type { BatchStatistics, DurationCount } from "../execution/statistics.ts";
import type { Model } from "../models/model.ts";

/** Triton's `StatisticDuration`. */
interface StatisticDuration {
  readonly count: number;
  /** Nanoseconds, whole. */
  readonly ns: number;
}

/** Triton's `InferStatistics`. */
interface InferStatistics {
  readonly success: StatisticDuration;
  readonly fail: StatisticDuration;
  readonly queue: StatisticDuration;
  readonly compute_input: StatisticDuration;
  readonly compute_infer: StatisticDuration;
  readonly compute_output: StatisticDuration;
  /** There is no response cache: always zero, for clients that read them unasked. */
  readonly cache_hit: StatisticDuration;
  readonly cache_miss: StatisticDuration;
}

/** Triton's `InferBatchStatistics`. */
interface InferBatchStatistics {
  readonly batch_size: number;
  readonly compute_input: StatisticDuration;
  readonly compute_infer: StatisticDuration;
  readonly compute_output: StatisticDuration;
}

/** Triton's `ModelStatistics`, in the names of its JSON and of its protocol buffer alike. */
export interface ModelStatisticsEntry {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0 before the first inference. */
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: InferStatistics;
  /** By rising size. */
  readonly batch_stats: readonly InferBatchStatistics[];
}

/** What the statistics extension answers: `ModelStatisticsResponse`. */
export interface StatisticsAnswer {
  readonly model_stats: readonly ModelStatisticsEntry[];
}

const NONE: StatisticDuration = { count: 0, ns: 0 };

/**
 * The statistics of these models since each was loaded.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function statisticsOf(models: readonly Model[]): StatisticsAnswer {
  return { model_stats: models.map(entry) };
}

function entry({ name, version, statistics }: Model): ModelStatisticsEntry {
  const batches = [...statistics.batches].sort(([one], [other]) => one - other);
  return {
    name,
    version,
    last_inference: Math.round(statistics.lastInference),
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: {
      success: duration(statistics.success),
      fail: duration(statistics.fail),
      queue: duration(statistics.queue),
      ...compute(statistics),
      cache_hit: NONE,
      cache_miss: NONE,
    },
    batch_stats: batches.map(([size, batch]) => ({ batch_size: size, ...compute(batch) })),
  };
}

function compute({
  computeInput,
  computeInfer,
  computeOutput,
}: BatchStatistics): Omit<InferBatchStatistics, "batch_size"> {
  return {
    compute_input: duration(computeInput),
    compute_infer: duration(computeInfer),
    compute_output: duration(computeOutput),
  };
}

function duration({ count, ns }: DurationCount): StatisticDuration {
  return { count, ns: Math.round(ns) };
}
