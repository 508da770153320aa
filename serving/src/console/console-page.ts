import { PAGE, SCRIPT_HASH, STYLE_HASH } from "./page.generated.ts";

/** The console at `/`, as it is sent. */
export interface ConsolePage {
  /** UTF-8. */
  readonly html: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Its own script and style run and nothing else, it talks to this server alone, and no string becomes markup. */
const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const CONSOLE: ConsolePage = {
  html: Buffer.from(PAGE),
  headers: {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
  },
};

/**
 * A page that shows the models, builds a request from their metadata, sends it and shows the answer. It needs nothing
 * from the network but this server.
 */
export function consolePage(): ConsolePage {
  return CONSOLE;
}
