import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeRendered } from "./files.ts";
import { actOmissions } from "./render.ts";

const help = `Renders reusable-workflows/*.yml for a place that does not know \`uses: $/…\`, such as GitHub Enterprise Server.

usage: npm run render -- --form pinned --repository OWNER/REPO --ref SHA --out DIR [--runner act]

  --form pinned      every reference to this library becomes OWNER/REPO/…@SHA
  --repository       where the library's copy lies, such as platform/mlops-actions
  --ref              commit SHA (recommended) or tag of that copy
  --out              folder for the rendered workflows; commit them as .github/workflows/ of a repository of yours
  --runner act       also leaves out the keys that the runner act does not know
`;

function fail(message: string): never {
  console.error(`error: ${message}\n\n${help}`);
  process.exit(2);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        form: { type: "string" },
        repository: { type: "string" },
        ref: { type: "string" },
        out: { type: "string" },
        runner: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { form, repository, ref, out, runner, ...rest } = readArguments();
if (rest.help) {
  console.log(help);
} else {
  if (form !== "pinned") fail(`--form is '${form ?? ""}'; expected pinned`);
  if (!repository || !ref || !out) fail("--repository, --ref and --out are required");
  if (runner !== undefined && runner !== "act") fail(`--runner is '${runner}'; expected act`);
  try {
    const written = await writeRendered(
      { form: "pinned", repository, ref, ...(runner && { omit: actOmissions }) },
      resolve(out),
    );
    console.log(`${written.length} workflows in ${out}: ${written.join(", ")}`);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
