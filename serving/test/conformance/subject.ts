import { ServerProcess } from "../server-process.ts";

/** A running server that clients are held against. */
export interface Subject {
  /** `host:port` of REST. */
  readonly rest: string;
  /** `host:port` of gRPC. */
  readonly grpc: string;
  readonly server: ServerProcess;
}

const POLL_MS = 50;

/**
 * Starts a server on a model repository and waits until it is ready. It is killed after the test at the latest.
 *
 * @throws Error with its log when it ends before that
 */
export async function serve(repository: string, environment: Readonly<Record<string, string>> = {}): Promise<Subject> {
  const flags = ["--model-repository", repository, "--host", "127.0.0.1", "--port", "0", "--grpc-port", "0"];
  const server = ServerProcess.start([...flags, "--drain-seconds", "0"], environment);
  await server.logged("listening");
  const line = server.log.find(({ message }) => message === "listening");
  const [rest, grpc] = [`127.0.0.1:${line?.port}`, `127.0.0.1:${line?.grpcPort}`];
  while ((await fetch(`http://${rest}/v2/health/ready`)).status !== 200) {
    if (server.child.exitCode !== null) throw new Error(`the server ended:\n${server.stdout}${server.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { rest, grpc, server };
}
