import { expectInside } from "../doors/dial.ts";
import { configFile, type Part, programPart } from "../parts/part.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";

/** The registries whose images come from the lab's registry first, under the same repository names. */
export const MIRRORED = ["docker.io", "gcr.io", "ghcr.io"] as const;

/** The OCI registry: the lab's own images, and what stands for the public registries. */
export function registryPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const configuration = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: inside("registry") },
      delete: { enabled: true },
      cache: { blobdescriptor: "inmemory" },
    },
    http: { addr: `0.0.0.0:${port}` },
  };
  return programPart(home, {
    name: "registry",
    needs: ["doors"],
    address: `127.0.0.1:${port}`,
    command: [toolchain.path("docker-registry"), "serve", configFile("registry.json")],
    environment: { OTEL_TRACES_EXPORTER: "none" },
    files: () => ({ "registry.json": JSON.stringify(configuration, null, 2) }),
    ready: () => expectInside(home, { port, path: "/v2/" }),
  });
}
