import { expect, test } from "vitest";
import { readSettings } from "../src/config/settings.ts";

test("has defaults for everything", () => {
  expect(readSettings([], {})).toEqual({
    modelRepository: "/models",
    host: "0.0.0.0",
    port: 8080,
    maxBodyBytes: 16_777_216,
    drainSeconds: 5,
    intraOpThreads: 1,
  });
});

test("a flag goes before its variable, a variable before the default, and an empty variable is none", () => {
  expect(readSettings(["--port", "1"], { PORT: "2" })).toMatchObject({ port: 1 });
  expect(readSettings([], { PORT: "2", HOST: "" })).toMatchObject({ port: 2, host: "0.0.0.0" });
});

test.each<[readonly string[], NodeJS.ProcessEnv, string]>([
  [["--port", "http"], {}, "--port is 'http', expected a whole number from 0 to 65535"],
  [[], { PORT: "tcp://10.0.0.1:80" }, "PORT is 'tcp://10.0.0.1:80', expected a whole number from 0 to 65535"],
  [["--port", "65536"], {}, "--port is '65536'"],
  [["--drain-seconds", "1.5"], {}, "--drain-seconds is '1.5'"],
  [["--max-body-bytes", "0"], {}, "--max-body-bytes is '0', expected a whole number from 1 to 536870912"],
  [["--intra-op-threads", ""], {}, "--intra-op-threads is ''"],
  [["--host", "example.org"], {}, "--host is 'example.org', expected an IP address"],
  [["--model-repository", ""], {}, "--model-repository is empty"],
  [["--port"], {}, "Option '--port <value>' argument missing; --help lists the flags"],
  [["model"], {}, "Unexpected argument 'model'"],
])("refuses %j with %j", (args, environment, message) => {
  expect(() => readSettings(args, environment)).toThrow(message);
});
