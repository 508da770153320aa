/**
 * Features that the lab's Kubernetes has, but not by default. Images as volumes are on from 1.35; in 1.34 the API server
 * would take such a volume for an empty one.
 */
export const FEATURE_GATES: Readonly<Record<string, boolean>> = { ImageVolume: true };
