import { ActionError } from "../../shared/src/action-runtime/error.ts";

/** What pip prints when it is the index that did not answer, and not the requirement that is wrong. */
const unreachable =
  /connection broken by|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|Max retries exceeded|ProxyError|Temporary failure in name resolution|Connection (?:refused|reset)|Read timed out|HTTP error (?:429|5\d\d)|\b(?:429|50\d) (?:Client|Server) Error/i;

/** Why pip ended with an error, from its output. */
export function pipFailure(output: string, shown: string): ActionError {
  const lines = output.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => line.startsWith("ERROR:")).map((line) => line.slice("ERROR:".length).trim());
  const said = [...new Set(errors)].slice(0, 3).join(" ").slice(0, 600) || lines.filter(Boolean).slice(-2).join(" ");
  if (/DO NOT MATCH THE HASHES|--require-hashes mode/i.test(output))
    return new ActionError("REQUIREMENTS_REFUSED", {
      message: `pip refused the packages of '${shown}' by their hashes: ${said}`,
      remedy:
        "make the file again with hashes of all packages (uv pip compile --generate-hashes); do not switch them off",
    });
  if (unreachable.test(output))
    return new ActionError("PIP_INDEX_UNREACHABLE", {
      message: `the packages of '${shown}' could not be downloaded: ${networkCause(lines) ?? said}`,
      remedy: "check that the runner reaches the package index (PIP_INDEX_URL), then re-run the job",
      blame: "inconclusive",
    });
  return new ActionError("REQUIREMENTS_REFUSED", {
    message: `pip could not install '${shown}': ${said}`,
    remedy: "correct the requirements file for this version of Python; pip's whole output is in the log",
  });
}

/** What pip's last warning about the network says, without the object that it prints around it. */
function networkCause(lines: readonly string[]): string | undefined {
  const last = lines.findLast((line) => unreachable.test(line));
  const [, broken] = /connection broken by '\w+\((?:.*?object at \w+>: )?(.*?)'?\)'/.exec(last ?? "") ?? [];
  return (broken ?? last)?.replace(/^(ERROR|WARNING): /, "").slice(0, 300);
}
