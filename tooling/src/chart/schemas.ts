import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Progress } from "../../../lab/src/progress/progress.ts";
import { fill, isFilled, recipeHash, slotFolder } from "../../../lab/src/toolchain/cache.ts";
import { type GoModule, withGoModule } from "../../../lab/src/toolchain/go-module.ts";
import {
  type CustomResourceDefinition,
  fromDefinition,
  fromOpenApi,
  type OpenApi,
  type Schemas,
} from "./strict-schema.ts";

/** The description of Kubernetes' own kinds, of the version that the lab runs. */
const kubernetes: GoModule & { readonly file: string } = {
  module: "k8s.io/kubernetes",
  version: "1.34.4",
  sum: "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk=",
  file: "api/openapi-spec/swagger.json",
};

/** Where the definitions of the other kinds are that the chart can make. */
const definitions: readonly (GoModule & { readonly files: readonly string[] })[] = [
  {
    module: "github.com/prometheus-operator/prometheus-operator",
    version: "0.85.0",
    sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    files: [
      "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
      "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
  },
  {
    module: "sigs.k8s.io/gateway-api",
    version: "1.6.3",
    sum: "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    files: [
      "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
      "config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
      "config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml",
    ],
  },
  {
    module: "github.com/kedacore/keda/v2",
    version: "2.21.0",
    sum: "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
    files: ["config/crd/bases/keda.sh_scaledobjects.yaml"],
  },
  {
    module: "github.com/argoproj/argo-rollouts",
    version: "1.8.3",
    sum: "h1:blbtQva4IK9r6gFh+dWkCrLnFdPOWiv9ubQYu36qeaA=",
    files: ["manifests/crds/rollout-crd.yaml", "manifests/crds/analysis-template-crd.yaml"],
  },
  {
    module: "github.com/fluxcd/flagger",
    version: "1.41.0",
    sum: "h1:oER1/QCK6AmooATKtOalu4i+fVL388wgk1yaErw06Tw=",
    files: ["artifacts/flagger/crd.yaml"],
  },
  {
    module: "github.com/kserve/kserve",
    version: "0.16.0",
    sum: "h1:kDkcAU5VMiZf4zhdDXH+UdAIgzXhs10GMv0d9r4qvTs=",
    files: ["config/crd/full/serving.kserve.io_servingruntimes.yaml"],
  },
];

/** What Kubernetes and its extensions say about their kinds, on this machine. */
export interface KindSchemas {
  /** For kubeconform's `-schema-location`. */
  readonly location: string;
  /** The Kubernetes version that they are of. */
  readonly kubernetes: string;
  /** A folder with the CustomResourceDefinitions themselves. */
  readonly definitions: string;
}

/** Makes the schemas once for every clone on the machine, from the projects' own modules. */
export async function kindSchemas(progress: Progress): Promise<KindSchemas> {
  const recipe = [import.meta.filename, join(import.meta.dirname, "strict-schema.ts")].map((file) =>
    readFileSync(file),
  );
  const slot = { shelf: "schemas", key: `${kubernetes.version}-${recipeHash(...recipe)}` };
  const folder = slotFolder(slot);
  if (!isFilled(slot))
    await progress.step("schemas of Kubernetes and its extensions", (step) =>
      fill(slot, step, async (into) => {
        for (const name of ["schemas", "definitions"]) mkdirSync(join(into, name));
        const write = (schemas: Schemas) => {
          for (const [name, schema] of schemas) writeFileSync(join(into, "schemas", name), JSON.stringify(schema));
        };
        await withGoModule(kubernetes, step, (module) =>
          write(fromOpenApi(JSON.parse(readFileSync(join(module, kubernetes.file), "utf8")) as OpenApi)),
        );
        for (const { files, ...module } of definitions)
          await withGoModule(module, step, (source) => {
            for (const file of files) {
              copyFileSync(join(source, file), join(into, "definitions", `${module.version}-${basename(file)}`));
              for (const document of parseAllDocuments(readFileSync(join(source, file), "utf8")))
                write(fromDefinition(document.toJS() as CustomResourceDefinition));
            }
          });
        step.detail = "";
      }),
    );
  const location = join(folder, "schemas", "{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json");
  return { location, kubernetes: kubernetes.version, definitions: join(folder, "definitions") };
}
