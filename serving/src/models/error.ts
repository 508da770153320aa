/** A model or the model repository cannot be served; the message names the path and the remedy. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}
