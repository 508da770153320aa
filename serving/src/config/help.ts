import { FLAGS, type Flag, variableOf } from "./flags.ts";

const INDENT = 6;
const WIDTH = 100;

/** What `--help` prints. */
export function helpText(): string {
  const groups = Map.groupBy(Object.values<Flag>(FLAGS), ({ group }) => group);
  return [
    "Serves ONNX models by the Open Inference Protocol v2: REST and gRPC.",
    "",
    "Usage: model-server [flags]",
    ...[...groups].flatMap(([group, flags]) => ["", group, ...flags.flatMap(describe)]),
    "",
    "  -h, --help      print this and exit",
    "  -v, --version   print the version and exit",
    "",
    "A flag goes before its environment variable (in brackets), which goes before the settings file, which goes before",
    "the default. An empty variable is an unset one.",
    "",
    "Traces are sent when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; OpenTelemetry's other",
    "variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, …) are heeded.",
    "",
  ].join("\n");
}

function describe(flag: Flag): string[] {
  const fallback = flag.fallback === "" ? "" : `; default ${flag.fallback}`;
  return [`  --${flag.name} ${flag.value}   [${variableOf(flag)}${fallback}]`, ...wrap(flag.help)];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (INDENT + line.length + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(INDENT) + each);
}
