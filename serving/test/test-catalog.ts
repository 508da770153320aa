import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { openModel } from "../src/execution/open-model.ts";
import type { LogFields, Logger } from "../src/logging/logger.ts";
import { type CatalogOptions, ModelCatalog } from "../src/models/catalog.ts";
import type { Model } from "../src/models/model.ts";
import { temporaryFolder } from "./server-process.ts";

type Files = Readonly<Record<string, Buffer | string>>;

/** A catalog on a repository folder of its own, with the real runtime. */
export class TestCatalog {
  readonly catalog: ModelCatalog;
  readonly folder: string;
  readonly log: LogRecord;

  private constructor(catalog: ModelCatalog, folder: string, log: LogRecord) {
    this.catalog = catalog;
    this.folder = folder;
    this.log = log;
  }

  /** Everything is freed and deleted after the test. */
  static async create(files: Files, options: Partial<CatalogOptions> = {}): Promise<TestCatalog> {
    const folder = temporaryFolder(files);
    const log = new LogRecord();
    const catalog = await ModelCatalog.create({
      repository: folder,
      settings: SETTINGS,
      open: openModel,
      executions: () => () => undefined,
      log,
      ...options,
    });
    onTestFinished(() => catalog.close());
    return new TestCatalog(catalog, folder, log);
  }

  /** As {@link create}, with every model loaded. */
  static async started(files: Files, options: Partial<CatalogOptions> = {}): Promise<TestCatalog> {
    const test = await TestCatalog.create(files, options);
    await test.catalog.start();
    return test;
  }

  /** Puts files into the repository as a careful copy does: whole, under their name at once. */
  write(files: Files): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.part`, content);
      renameSync(`${file}.part`, file);
    }
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  /** The index in short: `name/version STATE`, with the reason where there is one. */
  index(): string[] {
    return this.catalog
      .index()
      .map(({ name, version, state, reason }) => `${name}/${version} ${state}${reason && `: ${reason}`}`)
      .map((line) => line.replaceAll(this.folder, ""));
  }

  /** What a model made by `additionModel` adds to 0. */
  async answer(name: string, version?: string): Promise<number> {
    return inferSum(this.catalog.get(name, version), 0);
  }
}

/** Runs a model made by `additionModel` of one weight. */
export async function inferSum(model: Model, x: number): Promise<number> {
  const [output] = await model.infer([{ name: "x", datatype: "FP32", shape: [1], data: new Float32Array([x]) }], {
    outputs: ["y"],
    deadline: Number.POSITIVE_INFINITY,
  });
  return output?.data[0] as number;
}

export const SETTINGS: CatalogOptions["settings"] = {
  mode: "inline",
  workers: 1,
  cpus: 2,
  intraOpThreads: 1,
  batching: "off",
  maxBatchSize: 8,
  queueLimit: 1000,
};

/** Remembers what was logged. */
export class LogRecord implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly debug = this.#at("debug");
  readonly info = this.#at("info");
  readonly warn = this.#at("warn");
  readonly error = this.#at("error");

  #at(level: string): (message: string, fields?: LogFields) => void {
    return (message, fields = {}) => this.lines.push({ level, message, fields });
  }

  /** Messages at this level. */
  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}
