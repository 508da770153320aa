import { type InsideResponse, requestInside } from "../doors/dial.ts";
import type { LabHome } from "../state/home.ts";
import { authority, identity } from "./pki.ts";

/** The administrator's way to the API server of the embedded cluster. */
export interface ApiClient {
  get(path: string): Promise<InsideResponse>;
  /** Makes an object so, whatever it was (server-side apply). */
  apply(path: string, object: object): Promise<void>;
}

/** A client that reaches the API server through the lab's door, as administrator. */
export function apiClient(home: LabHome, port: number): ApiClient {
  const keys = { ca: authority(home), ...identity(home, "admin") };
  return {
    get: (path) => requestInside(home, { port, path, keys }),
    apply: async (path, object) => {
      const { status, body } = await requestInside(home, {
        port,
        path: `${path}?fieldManager=lab&force=true`,
        method: "PATCH",
        headers: { "content-type": "application/apply-patch+yaml" },
        body: JSON.stringify(object),
        keys,
        timeoutMs: 15_000,
      });
      if (status >= 300) throw new Error(`the API server answered ${path} with ${status}: ${body.slice(0, 500)}`);
    },
  };
}
