import * as z from "zod";
import { descriptorSchema } from "../../../actions/shared/src/descriptor/schema.ts";
import { repositoryName } from "../repository/repository.ts";

/** Where the schema is committed, from the top of the repository. */
export const schemaFile = "schema/model-pipeline.schema.json";

/** The JSON Schema of `model-pipeline.yaml`, for editors: what a person may write, with defaults and descriptions. */
export function renderDescriptorSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(descriptorSchema, { io: "input", target: "draft-7" });
  const document = {
    $schema,
    $id: `https://raw.githubusercontent.com/${repositoryName}/v1/${schemaFile}`,
    title: "Model pipeline",
    description:
      "The descriptor of a model repository. Generated from actions/shared/src/descriptor/schema.ts by `npm run build`.",
    ...schema,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
