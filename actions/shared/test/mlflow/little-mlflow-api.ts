/** JSON of a request or an answer. */
// biome-ignore lint/suspicious/noExplicitAny: the little server takes and gives whatever JSON the API has
export type Body = Record<string, any>;

/** An error in MLflow's own form. */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export class LittleMlflowState {
  readonly experiments: Body[] = [];
  readonly runs: Body[] = [];
  /** By path below the artifact root. */
  readonly artifacts = new Map<string, Buffer>();
  readonly models = new Map<string, { versions: Body[]; aliases: Map<string, string> }>();
  readonly loggedModels = new Map<string, Body>();
  /** Names that a listing gives beside the real ones. */
  readonly strangeNames: string[] = [];
  /** Where new runs keep their artifacts. */
  artifactRoot = "mlflow-artifacts:";

  /** Adds a finished run with files below `model`. */
  addRun(files: Readonly<Record<string, string>>, id = `run${this.runs.length + 1}`): string {
    const info = { run_id: id, experiment_id: "1", status: "FINISHED", lifecycle_stage: "active" };
    this.runs.push({
      info: { ...info, artifact_uri: `${this.artifactRoot}/1/${id}/artifacts` },
      data: {},
      outputs: {},
    });
    for (const [path, text] of Object.entries(files))
      this.artifacts.set(`1/${id}/artifacts/${path}`, Buffer.from(text));
    return id;
  }

  run(id: string): Body {
    const run = this.runs.find(({ info }) => info.run_id === id);
    if (run) return run;
    throw new Refused("RESOURCE_DOES_NOT_EXIST", `Run with id=${id} not found`, 404);
  }

  model(name: string) {
    const model = this.models.get(name);
    if (model) return model;
    throw new Refused("RESOURCE_DOES_NOT_EXIST", `Registered Model with name=${name} not found`, 404);
  }
}

type Handler = (state: LittleMlflowState, body: Body) => Body;

const version = (state: LittleMlflowState, name: string, number: string): Body => {
  const { versions, aliases } = state.model(name);
  const found = versions.find((each) => each.version === number);
  if (!found)
    throw new Refused("RESOURCE_DOES_NOT_EXIST", `Model Version (name=${name}, version=${number}) not found`, 404);
  return { ...found, aliases: [...aliases].filter(([, named]) => named === number).map(([alias]) => alias) };
};

/** Conditions such as `name = 'x' and tags.\`k\` = 'v'`, as pairs. */
const conditions = (filter: string): [string, string][] =>
  [...filter.matchAll(/([\w.`-]+) = (?:'([^']*)'|"([^"]*)")/g)].map(([, key = "", single, double]) => [
    key.replaceAll("`", ""),
    single ?? double ?? "",
  ]);

const upsert = (entries: Body[], key: string, value: unknown) => {
  const found = entries.find((entry) => entry.key === key);
  if (found) found.value = value;
  else entries.push({ key, value });
};

/** By path below `/api/2.0/`. */
export const handlers: Readonly<Record<string, Handler>> = {
  "mlflow/experiments/get-by-name": (state, { experiment_name }) => {
    const experiment = state.experiments.find(({ name }) => name === experiment_name);
    if (experiment) return { experiment };
    throw new Refused("RESOURCE_DOES_NOT_EXIST", `Could not find experiment with name '${experiment_name}'`, 404);
  },
  "mlflow/experiments/create": (state, { name }) => {
    if (state.experiments.some((each) => each.name === name))
      throw new Refused("RESOURCE_ALREADY_EXISTS", `Experiment(name=${name}) already exists. Error: x\n[SQL: INSERT]`);
    const experiment_id = String(state.experiments.length + 1);
    const artifact_location = `${state.artifactRoot}/${experiment_id}`;
    state.experiments.push({ experiment_id, name, lifecycle_stage: "active", artifact_location });
    return { experiment_id };
  },
  "mlflow/runs/create": (state, { experiment_id, run_name, tags }) => {
    const run_id = `run${state.runs.length + 1}`;
    const artifact_uri = `${state.artifactRoot}/${experiment_id}/${run_id}/artifacts`;
    const info = { run_id, experiment_id, run_name, status: "RUNNING", lifecycle_stage: "active", artifact_uri };
    const run = { info, data: { tags: [...tags] }, outputs: {} };
    state.runs.push(run);
    return { run };
  },
  "mlflow/runs/get": (state, { run_id }) => ({ run: state.run(run_id) }),
  "mlflow/runs/update": (state, { run_id, ...changes }) => ({
    run_info: Object.assign(state.run(run_id).info, changes),
  }),
  "mlflow/runs/set-tag": (state, { run_id, key, value }) => {
    const { data } = state.run(run_id);
    data.tags ??= [];
    upsert(data.tags, key, value);
    return {};
  },
  "mlflow/runs/log-batch": (state, { run_id, params }) => {
    const { data } = state.run(run_id);
    data.params = [...(data.params ?? []), ...params];
    return {};
  },
  "mlflow/runs/search": (state, { filter }) => {
    const wanted = conditions(filter).map(([key, value]) => [key.replace("tags.", ""), value]);
    const tagged = (run: Body) =>
      wanted.every(([key, value]) => run.data.tags?.some((tag: Body) => tag.key === key && tag.value === value));
    return { runs: state.runs.filter(tagged).reverse() };
  },
  "mlflow/logged-models": (state, { $path }) => {
    const model = state.loggedModels.get($path.split("/").at(-1));
    if (model) return { model };
    throw new Refused("RESOURCE_DOES_NOT_EXIST", "no logged model", 404);
  },
  "mlflow-artifacts/artifacts": (state, { path }) => {
    const below = [...state.artifacts].filter(([name]) => name.startsWith(`${path}/`));
    const children = new Map<string, Body>();
    for (const [name, bytes] of below) {
      const [child = "", ...rest] = name.slice(path.length + 1).split("/");
      if (rest.length > 0) children.set(child, { path: child, is_dir: true });
      else children.set(child, { path: child, is_dir: false, file_size: bytes.length });
    }
    const strange = state.strangeNames.map((name) => ({ path: name, is_dir: false, file_size: 1 }));
    const files = [...children.values(), ...strange];
    return files.length > 0 ? { files } : {};
  },
  "mlflow/registered-models/create": (state, { name }) => {
    if (state.models.has(name))
      throw new Refused("RESOURCE_ALREADY_EXISTS", `Registered Model (name=${name}) already exists.`);
    state.models.set(name, { versions: [], aliases: new Map() });
    return { registered_model: { name } };
  },
  "mlflow/registered-models/alias": (state, { $method, name, alias, version: number }) => {
    const { aliases } = state.model(name);
    if ($method === "POST") {
      aliases.set(alias, number);
      return {};
    }
    const named = aliases.get(alias);
    if (named === undefined) throw new Refused("INVALID_PARAMETER_VALUE", `Registered model alias ${alias} not found.`);
    return { model_version: version(state, name, named) };
  },
  "mlflow/model-versions/create": (state, { name, source, run_id, tags, description }) => {
    const { versions } = state.model(name);
    const model_version = {
      name,
      version: String(versions.length + 1),
      source,
      run_id,
      tags,
      description,
      status: "READY",
    };
    versions.push(model_version);
    return { model_version };
  },
  "mlflow/model-versions/get": (state, { name, version: number }) => ({ model_version: version(state, name, number) }),
  "mlflow/model-versions/get-download-uri": (state, { name, version: number }) => {
    const { source } = version(state, name, number);
    const logged = state.loggedModels.get(source.replace("models:/", ""));
    return { artifact_uri: logged ? logged.info.artifact_uri : source };
  },
  "mlflow/model-versions/search": (state, { filter, page_token }) => {
    const wanted = Object.fromEntries(conditions(filter));
    const all = (state.models.get(wanted.name ?? "")?.versions ?? []).filter(({ run_id }) => run_id === wanted.run_id);
    const newestFirst = all.toReversed();
    // Pages of two, so that whoever reads only the first page is found out.
    const from = Number(page_token ?? 0);
    const next_page_token = from + 2 < newestFirst.length ? String(from + 2) : "";
    return { model_versions: newestFirst.slice(from, from + 2), next_page_token };
  },
  "mlflow/model-versions/set-tag": (state, { name, version: number, key, value }) => {
    const found = state.model(name).versions.find((each) => each.version === number);
    if (found) upsert(found.tags, key, value);
    return {};
  },
};
