/**
 * Changed quotes, certificates, CRLs and collateral through the verifier; what must hold for each is in fuzzer.ts. Every
 * input can be made again from seed and number.
 *
 * usage: npm run fuzz [-- --inputs N] [--seed S] [--first NUMBER] [--json] [--save-slowest FILE] [--save FILE]
 *
 * --save writes the first input itself, for one number: --first NUMBER --inputs 1 --save FILE.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { nodeCrypto } from "../node-crypto.ts";
import { createBase } from "../testing/mutated-subject.ts";
import { labelledSubjects, realSubjects } from "../testing/subject.ts";
import { type FuzzInput, fuzzInput } from "./fuzz-input.ts";
import { fuzz } from "./fuzzer.ts";
import { type MemorySample, memoryProblem, memorySampler } from "./memory.ts";
import { reportText } from "./report-text.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "2000000" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
    save: { type: "string" },
    "save-slowest": { type: "string" },
  },
});

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is not a whole number: ${text}`);
  return value;
}

/** Everything an input is made of, as JSON: bytes as base64. */
function inputJson(input: FuzzInput): string {
  const subject = "mutated" in input ? input.mutated.subject : "subject" in input ? input.subject : undefined;
  const given =
    subject === undefined ? input : { kind: input.kind, ...subject, ...("collateral" in input ? input : {}) };
  return JSON.stringify(
    given,
    (_, value: unknown) => (value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value),
    1,
  );
}

const inputs = wholeNumber(values.inputs, "inputs");
const seed = wholeNumber(values.seed, "seed");
const first = wholeNumber(values.first, "first");
const bases = [...realSubjects(), ...labelledSubjects()].map(createBase);
if (values.save !== undefined) writeFileSync(values.save, inputJson(fuzzInput(seed, first, bases)));

const sample = memorySampler();
const samples: MemorySample[] = [];
const sampleEvery = Math.max(10_000, Math.floor(inputs / 100));
const started = performance.now();
const report = fuzz({
  inputs,
  seed,
  first,
  bases,
  crypto: nodeCrypto,
  clock: () => performance.now(),
  progressEvery: sampleEvery,
  onProgress(done) {
    samples.push(sample(done));
    const seconds = (performance.now() - started) / 1000;
    if (!values.json && done % (5 * sampleEvery) === 0) {
      process.stderr.write(`${done} inputs, ${seconds.toFixed(0)} s, ${(done / seconds).toFixed(0)} a second\n`);
    }
    return true;
  },
});
/** Milliseconds of one input by itself, best of three: what a busy machine or a collection added is not in it. */
function alone(index: number): number {
  const again = { inputs: 1, seed, first: index, bases, crypto: nodeCrypto, clock: () => performance.now() };
  return Math.min(...[1, 2, 3].map(() => fuzz(again).milliseconds));
}

const slowest = report.slowest;
const slowestAlone = slowest === undefined ? undefined : alone(slowest.index);
if (values["save-slowest"] !== undefined && slowest !== undefined) {
  writeFileSync(values["save-slowest"], inputJson(fuzzInput(seed, slowest.index, bases)));
}
const grown = memoryProblem(samples, inputs);
const ok = report.failures.length === 0 && grown === undefined;
if (values.json)
  process.stdout.write(`${JSON.stringify({ ok, ...report, slowestAlone, memory: samples, grown }, undefined, 2)}\n`);
else process.stdout.write(`${reportText(report, samples, slowestAlone)}\n${grown === undefined ? "" : `${grown}\n`}`);
process.exitCode = ok ? 0 : 1;
