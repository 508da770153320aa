import { registerHooks } from "node:module";

// The package imports its JSON files without the attribute that Node asks for.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

/**
 * What GitHub's own parser has against a workflow, together with the inputs and secrets that it passes to reusable workflows
 * of this repository; one sentence each.
 *
 * @param own this repository's name; a workflow of it is looked up here, whatever the ref.
 * @param read the text of a file of this repository.
 */
export async function parseWorkflowFile(
  name: string,
  content: string,
  own: string,
  read: (path: string) => Promise<string>,
): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const problems = context.errors.getErrors().map(({ message }) => message);
  if (!value || problems.length > 0) return problems;
  const files = {
    getFileContent: async (reference: object & { path: string; owner?: string; repository?: string }) => {
      const { path, owner, repository } = reference;
      if (owner !== undefined && `${owner}/${repository}` !== own)
        throw new Error(`calls ${owner}/${repository}, whose workflows cannot be read here`);
      return { name: path, content: await read(path) };
    },
  };
  const options = { fetchReusableWorkflowDepth: 1, maxReusableWorkflowDepth: 10 };
  const template = await convertWorkflowTemplate(context, value, files, options);
  return (template.errors ?? []).map(({ Message }) => Message);
}

/** What GitHub's own parser has against an `action.yml`, one sentence each. */
export function parseActionManifest(name: string, content: string): string[] {
  const { context } = parseAction({ name, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
