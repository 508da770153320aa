import {
  choice,
  duration,
  type Inputs,
  number,
  parseDuration,
  secret,
  text,
} from "../../shared/src/action-runtime/inputs.ts";

const optionalNumber = (min: number, max: number) =>
  text()
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a number from ${min} to ${max}`)
    .optional();

const percentage = () =>
  text()
    .regex(/^(100|\d{1,2})(\.\d+)?%$/, "expected a percentage such as 0.1%")
    .transform((value) => Number.parseFloat(value) / 100);

export const inputs = {
  image: text().optional(),
  environment: text().optional(),
  endpoint: text()
    .regex(/^https?:\/\/\S+$/, "expected an address such as https://models.example.com")
    .optional(),
  namespace: text().optional(),
  release: text().optional(),
  service: text().optional(),
  port: text().optional(),
  protocol: choice(["open-inference", "http"], "open-inference"),
  model: text().optional(),
  "ready-path": text().startsWith("/", "expected a path such as /healthz").optional(),
  golden: text().optional(),
  rtol: number({ min: 0, max: 1, fallback: 1e-3 }),
  atol: number({ min: 0, max: Number.MAX_VALUE, fallback: 1e-5 }),
  rate: optionalNumber(0.1, 10_000),
  duration: duration("10s"),
  p99: text()
    .refine((value) => parseDuration(value) !== undefined, "expected a duration such as 250ms")
    .transform((value) => parseDuration(value) ?? Number.NaN)
    .optional(),
  errors: percentage().default(0),
  timeout: duration("2m"),
  junit: text().optional(),
  kubeconfig: secret(),
  context: text().optional(),
  "registry-username": text().optional(),
  "registry-password": secret(),
};

export type IntegrationTestInputs = Inputs<typeof inputs>;
