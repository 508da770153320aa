import assert from "node:assert/strict";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { serve } from "../conformance/subject.ts";
import { temporaryFolder } from "../server-process.ts";
import { Dice } from "./dice.ts";
import { poke, reproduction, soon } from "./fuzz-client.ts";
import { fuzzRepository } from "./fuzz-models.ts";
import { call, FRAMES, http2Session, prefixed } from "./grpc-frames.ts";
import { judgeResponse } from "./grpc-message.ts";
import { type GrpcCase, grpcCase, validMessage } from "./mutate-grpc.ts";
import { runCases, runLength, timeoutFor } from "./run-length.ts";
import { ENVIRONMENT, LANES, ServerHealth } from "./server-health.ts";
import { startThreads } from "./warm-up.ts";

const METHOD = "/inference.GRPCInferenceService/ModelInfer";

/** Cases that always run: messages about 10 s, frames and connections about 5 s. */
const MESSAGES = 6_000;
const FRAME_CASES = 600;
const CONNECTIONS = 400;
const WARM = 500;

/** How a message may be refused. */
const REFUSALS: ReadonlySet<number> = new Set([status.INVALID_ARGUMENT, status.NOT_FOUND, status.RESOURCE_EXHAUSTED]);

async function start() {
  const subject = await serve(temporaryFolder(fuzzRepository()), ENVIRONMENT);
  const client = new Client(subject.grpc, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  onTestFinished(() => client.close());
  const run = async (name: string, given: GrpcCase) => {
    try {
      await judge(client, given);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`${name}${message}\n${reproduction(given.label, given.message)}`, { cause: error });
    }
  };
  const { seed } = runLength();
  const good = (number: number) =>
    run(`seed ${seed}, good request ${number}: `, validMessage(new Dice(seed ^ 0x5eed, number)));
  await startThreads(subject.rest);
  for (let number = 0; number < WARM; number++) await good(number);
  return { port: Number(subject.grpc.split(":")[1]), health: new ServerHealth(subject.server), run, good, seed };
}

async function judge(client: Client, { message, kind }: GrpcCase): Promise<void> {
  const asItIs = (value: Buffer) => value;
  const call = new Promise<Buffer | ServiceError>((resolve) => {
    client.makeUnaryRequest(METHOD, asItIs, asItIs, message, (error, answer) => resolve(error ?? (answer as Buffer)));
  });
  const end = await soon("an answer", call);
  if (Buffer.isBuffer(end)) {
    assert.notEqual(kind, "refused", "answered, expected a refusal");
    judgeResponse(message, end);
    return;
  }
  const told = `${status[end.code]}: ${end.details}`;
  assert.notEqual(kind, "answered", `refused what is valid: ${told}`);
  // A time limit that the request set itself.
  const ownLimit = end.code === status.DEADLINE_EXCEEDED && message.includes("timeout");
  assert.ok(REFUSALS.has(end.code) || ownLimit, `ended with ${told}`);
  assert.ok(end.details.length > 10 && end.details.length < 4_000, `refused without a message: ${told}`);
}

test(
  "whatever is in a message, gRPC answers what is valid rightly and refuses the rest in words",
  async () => {
    const { seed, health, run, good } = await start();
    const cases = await runCases(MESSAGES, LANES, async (number) => {
      await run("", grpcCase(new Dice(seed, number)));
      if (number % 4 === 0) await good(number);
      if (number % 2_000 === 0) health.check();
    });
    console.log(`${cases} messages; ${health.summary}`);
    health.check();
    await good(0);
  },
  timeoutFor(120_000),
);

test(
  "whatever is around a message, and whatever speaks no HTTP/2 at all, gRPC serves on within its memory",
  async () => {
    const { seed, port, health, good } = await start();
    const session = await http2Session(port);
    const cases = await runCases(FRAME_CASES, LANES, async (number) => {
      const dice = new Dice(seed, number);
      const given = (FRAMES[number % FRAMES.length] as (typeof FRAMES)[number])(dice, validMessage(dice).message);
      const end = await call(session, given);
      if (end !== undefined) {
        const name =
          end.code === undefined || end.httpStatus !== 200 ? `HTTP ${end.httpStatus}` : `${status[end.code]}`;
        assert.ok(given.codes.includes(name), `${given.label}: ended with ${name} ${end.message}`);
        assert.ok(name === "OK" || name.startsWith("HTTP") || end.message.length > 5, `${given.label}: no message`);
        assert.ok(!end.message.includes("internal error"), end.message);
      }
      if (number % 4 === 0) await good(number);
    });
    const connections = await runCases(CONNECTIONS, LANES, async (number) => {
      const dice = new Dice(seed, number);
      await poke(port, dice.pieces(connection(dice), 4));
      if (number % 4 === 0) await good(number);
    });
    console.log(`${cases} calls, ${connections} connections; ${health.summary}`);
    expect(session.closed).toBe(false);
    health.check();
    await good(0);
  },
  timeoutFor(120_000, 2),
);

/** What a client of HTTP/2 sends for one call (RFC 9113), with bytes changed. */
function connection(dice: Dice): Buffer {
  const fields: readonly (readonly [string, string])[] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", METHOD],
    [":authority", "x"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ];
  // RFC 7541, section 6.2.2: literal fields without indexing.
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const block = fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]);
  const bytes = Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(4, 0, 0, Buffer.alloc(0)),
    frame(1, 4, 1, Buffer.concat(block)),
    frame(0, 1, 1, prefixed(validMessage(dice).message.subarray(0, 10_000))),
  ]);
  for (let times = dice.pick([1, 2, 4, 20]); times > 0; times--) {
    // Mostly behind the preface, where more can be wrong.
    const at = dice.oneIn(8) ? dice.below(bytes.length) : 24 + dice.below(Math.min(200, bytes.length - 24));
    bytes[at] = dice.below(256);
  }
  return dice.oneIn(4) ? bytes.subarray(0, dice.below(bytes.length)) : bytes;
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
