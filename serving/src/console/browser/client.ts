/** What a model declares about one input or output. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1: of any size. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
}

/** One entry of the repository's index. */
export interface IndexEntry {
  readonly name: string;
  readonly version?: string;
  readonly state?: string;
  readonly reason?: string;
}

/** What came back, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** From sending the request to having the whole answer. */
  readonly milliseconds: number;
}

/** The server answered, but not what was asked for; the message is its own. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Where a model, or one of its versions, is found; relative to the page. */
export function modelPath(model: string, version: string | undefined, action = ""): string {
  const versions = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  return `v2/models/${encodeURIComponent(model)}${versions}${action}`;
}

/** Talks to the server that the page comes from. */
export class Client {
  /** A bearer token. It stays in memory. */
  token = "";

  async send(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.token !== "") headers.set("authorization", `Bearer ${this.token}`);
    const start = performance.now();
    const response = await fetch(new URL(path, document.baseURI), { ...init, headers, cache: "no-store" });
    const text = await response.text();
    return { status: response.status, text, milliseconds: performance.now() - start };
  }

  /** @throws ServerError when the status is no success */
  async json<Body>(path: string, init: RequestInit = {}): Promise<Body> {
    const answer = await this.send(path, init);
    if (answer.status !== 200) throw new ServerError(answer.status, errorMessage(answer.text));
    return JSON.parse(answer.text) as Body;
  }

  /** Whether a health question is answered with yes. */
  async isReady(path: string): Promise<boolean> {
    return (await this.send(path)).status === 200;
  }

  server(): Promise<ServerMetadata> {
    return this.json("v2");
  }

  index(): Promise<readonly IndexEntry[]> {
    return this.json("v2/repository/index", { method: "POST", body: "{}", headers: JSON_BODY });
  }

  model(model: string, version: string | undefined): Promise<ModelMetadata> {
    return this.json(modelPath(model, version));
  }

  infer(model: string, version: string | undefined, body: string, signal: AbortSignal): Promise<Answer> {
    return this.send(modelPath(model, version, "/infer"), { method: "POST", body, headers: JSON_BODY, signal });
  }
}

const JSON_BODY = { "content-type": "application/json" };

/** The server's own words: the `error` of its answer, or else the answer as it is. */
export function errorMessage(text: string): string {
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown };
    return typeof error === "string" ? error : text;
  } catch {
    return text.trim() === "" ? "(no message)" : text;
  }
}
