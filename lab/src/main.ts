import { parseCommand, USAGE } from "./cli/arguments.ts";
import { environmentOf, exportLines, runInLab, showLog } from "./cli/run-in-lab.ts";
import { printStatus } from "./cli/status.ts";
import { describe } from "./cli/summary.ts";
import { closeLab, openLab, stepLogs } from "./lab.ts";
import { runAsRoot } from "./privileges.ts";
import { cancelOnSignals } from "./progress/cancellation.ts";
import { explain, isCancelled } from "./progress/error.ts";
import { Progress } from "./progress/progress.ts";

const print = (text: string) => process.stdout.write(text);

/** Does what the command line says. @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const command = parseCommand(args);
  const progress = (signal?: AbortSignal) =>
    new Progress({ logs: stepLogs("name" in command ? command.name : undefined), ...(signal && { signal }) });
  switch (command.do) {
    case "help":
      print(USAGE);
      return 0;
    case "up":
      runAsRoot();
      print(describe(await openLab(command, progress(cancelOnSignals()))));
      return 0;
    case "down":
      runAsRoot();
      await closeLab(command, progress());
      return 0;
    case "status":
      runAsRoot();
      return printStatus(command.name, print);
    case "logs":
      return showLog(command.name, command.part, command.follow);
    case "env":
      print(exportLines(await environmentOf(command.name, progress())));
      return 0;
    case "exec":
      if (command.inside) runAsRoot();
      return runInLab(command.name, command.command, command.inside, progress());
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(explain(error));
  process.exitCode = isCancelled(error) ? 130 : 1;
}
