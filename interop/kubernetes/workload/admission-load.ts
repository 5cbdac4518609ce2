/**
 * Pods created as a trial (dryRun) on kept connections straight at the API server, one after the other on each lane, until
 * standard input ends. Each asks for quotes, so each must come back with the quote slot. One line of JSON twice a second:
 * what happened so far.
 *
 * usage: node admission-load.ts LANES POD   (KUBECONFIG names the API server and the caller's certificate)
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";

export interface AdmissionCounts {
  /** Answered with a pod that has the slot. */
  readonly changed: number;
  /** Answered with the pod as it was written: the webhook was not asked, or its answer did not count. */
  readonly unchanged: number;
  /** Not answered with a pod at all. */
  readonly failed: number;
  /** When an unchanged or failed one began, ms since the program did; the first thousand. */
  readonly gaps: readonly number[];
  readonly reasons: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maximumMs: number;
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** A file named in the kubeconfig, or its content in it. */
function material(entry: Readonly<Record<string, string>>, name: string): Buffer {
  const content = entry[`${name}-data`];
  return content === undefined ? readFileSync(entry[name] ?? "") : Buffer.from(content, "base64");
}

const [lanes = "8", pod = ""] = process.argv.slice(2);
const { clusters, users } = parse(readFileSync(process.env.KUBECONFIG ?? "", "utf8")) as Kubeconfig;
const [{ cluster }, { user }] = [clusters[0], users[0]];
const { namespace } = (JSON.parse(pod) as { metadata: { namespace: string } }).metadata;
const url = new URL(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, cluster.server);
const agent = new Agent({
  keepAlive: true,
  maxSockets: Number(lanes),
  ca: material(cluster, "certificate-authority"),
  cert: material(user, "client-certificate"),
  key: material(user, "client-key"),
});

function create(): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(pod) };
    const call = request(url, { method: "POST", agent, headers, timeout: 30_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on("error", reject).on("timeout", () => call.destroy(new Error("no answer within 30 s")));
    call.end(pod);
  });
}

const began = performance.now();
const times: number[] = [];
const gaps: number[] = [];
const reasons = new Set<string>();
let [changed, unchanged, failed, ended] = [0, 0, 0, false];

async function lane(): Promise<void> {
  while (!ended) {
    const start = performance.now();
    try {
      const { status, body } = await create();
      if (status !== 201) throw new Error(`${status}: ${body.slice(0, 200)}`);
      if (body.includes("sgx.confcom.dev/quote")) changed++;
      else {
        unchanged++;
        if (gaps.length < 1000) gaps.push(Math.round(start - began));
      }
    } catch (error) {
      failed++;
      if (gaps.length < 1000) gaps.push(Math.round(start - began));
      if (reasons.size < 10) reasons.add((error as Error).message);
    }
    times.push(performance.now() - start);
  }
}

function report(): void {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10;
  const counts: AdmissionCounts = {
    changed,
    unchanged,
    failed,
    gaps,
    reasons: [...reasons],
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maximumMs: at(1),
  };
  process.stdout.write(`${JSON.stringify(counts)}\n`);
}

process.stdin.resume().on("end", () => {
  ended = true;
});
const all = Promise.all(Array.from({ length: Number(lanes) }, lane));
while (!ended) {
  await sleep(500);
  report();
}
await all;
report();
process.exit(0);
