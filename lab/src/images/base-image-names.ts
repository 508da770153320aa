/** An image that Dockerfiles name in `FROM`. */
export interface BaseImageName {
  /** The registry that people pull it from. */
  readonly host: string;
  /** The name in that registry, which is also its name in the lab's mirror. */
  readonly repository: string;
  readonly tag: string;
}

/** The images that the lab's registry offers as a mirror. */
export const BASE_IMAGES = {
  node: { host: "docker.io", repository: "library/node", tag: "24-bookworm-slim" },
  distroless: { host: "gcr.io", repository: "distroless/nodejs24-debian12", tag: "nonroot" },
} as const satisfies Record<string, BaseImageName>;

export type BaseImageKey = keyof typeof BASE_IMAGES;

/** The name in a Dockerfile, for example `docker.io/library/node:24-bookworm-slim`. */
export function nameOf({ host, repository, tag }: BaseImageName): string {
  return `${host}/${repository}:${tag}`;
}
