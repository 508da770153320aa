/** An error of `npm run pipeline` itself; what the workflow finds is a verdict, not an error. */
export class PipelineError extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PipelineError";
    this.code = code;
    this.remedy = remedy;
  }
}
