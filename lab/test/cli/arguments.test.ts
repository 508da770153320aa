import { expect, test } from "vitest";
import { parseCommand } from "../../src/cli/arguments.ts";

const words = (text: string) => text.split(" ").filter(Boolean);

test.each([
  ["", { do: "help" }],
  ["--help", { do: "help" }],
  ["up --help", { do: "help" }],
  ["up", { do: "up", name: "default" }],
  ["up --name two --cluster kind", { do: "up", name: "two", cluster: "kind" }],
  ["up --cluster current --context a", { do: "up", name: "default", cluster: "current", context: "a" }],
  ["down --purge", { do: "down", name: "default", purge: true }],
  ["--name two status", { do: "status", name: "two" }],
  ["logs", { do: "logs", name: "default", part: undefined, follow: false }],
  ["logs kubelet -f", { do: "logs", name: "default", part: "kubelet", follow: true }],
  ["env", { do: "env", name: "default" }],
  [
    "exec kubectl get -f x --name y",
    { do: "exec", name: "default", command: words("kubectl get -f x --name y"), inside: false },
  ],
  ["exec --inside --name two ip addr", { do: "exec", name: "two", command: words("ip addr"), inside: true }],
  ["exec -- --version", { do: "exec", name: "default", command: ["--version"], inside: false }],
])("understands %j", (line, expected) => {
  expect(parseCommand(words(line))).toEqual(expected);
});

test.each([
  ["start", 'lab: "start" is no command'],
  ["up --cluster minikube", "--cluster is embedded, kind, current"],
  ["up --context a", "--context goes with --cluster current"],
  ["up --purge", "up takes no --purge"],
  ["down now", 'down does not know what to do with "now"'],
  ["logs a b", 'logs does not know what to do with "b"'],
  ["up --nmae x", "--nmae"],
  ["exec", "exec needs a command"],
])("refuses %j and says why", (line, reason) => {
  let error: unknown;
  try {
    parseCommand(words(line));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: "USAGE", remedy: expect.stringContaining("--help") });
  expect((error as Error).message).toContain(
    reason.replace("lab: ", "").replace(" is no command", " is no command of the lab"),
  );
});
