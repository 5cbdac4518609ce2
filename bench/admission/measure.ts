import { writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthority, issueServerCertificate } from "@confcom/kubernetes/tls-authority";
import { loadReport, type Measurement } from "../load.ts";
import { cpuMicroseconds } from "../process-usage.ts";
import { ServerProcess } from "../server-process.ts";
import { median, medians } from "../statistics.ts";
import { admissionRequest, admissionReview } from "./review.ts";

/** Kept connections, and requests a second over all of them; 0: each connection asks again as soon as it is answered. */
export interface AdmissionLoad {
  readonly clients: number;
  readonly rate: number;
  readonly requests: number;
}

export interface AdmissionPlan {
  readonly rounds: number;
  readonly loads: readonly AdmissionLoad[];
}

export interface AdmissionRow extends AdmissionLoad {
  readonly confcom: Measurement;
  readonly limit: Measurement;
  /** From a request's headers to its answer handed to the socket, as the handler sees it, ms. */
  readonly handler: { readonly p50Ms: number; readonly p99Ms: number };
  /** CPU per request of the limit over ours, the median over the rounds. */
  readonly ofLimit: number;
}

export interface AdmissionResults {
  /** Of the body of a request and of an answer. */
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly rows: readonly AdmissionRow[];
}

interface Target {
  readonly server: ServerProcess;
  readonly port: number;
}

/** Measures the handler of the admission webhook over TLS, beside a bare server of the same answers. */
export async function measureAdmission(
  load: string,
  directory: string,
  plan: AdmissionPlan,
  progress: (line: string) => void,
): Promise<AdmissionResults> {
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 86_400_000) };
  const authority = await createAuthority({ commonName: "bench", ...validity });
  const dnsNames = ["sgx-webhook.kube-system.svc"];
  const { certificate, privateKey } = await issueServerCertificate(authority, { dnsNames, ...validity });
  const tls = [file("webhook.crt", certificate), file("webhook.key", privateKey)];

  const review = admissionReview();
  const ours = await start("confcom", "own-server.ts", tls);
  const answer = await ask(ours.port, review);
  if (!/"allowed":true.*"patchType":"JSONPatch"/.test(answer)) throw new Error(`the webhook answered ${answer}`);
  const answerFile = file("answer", answer);
  const theirs = await start("limit", "bare-server.ts", [...tls, answerFile]);
  const files = [file("request", admissionRequest(review)), answerFile];

  const run = async ({ server, port }: Target, { clients, requests, rate }: AdmissionLoad): Promise<Measurement> => {
    const before = cpuMicroseconds([server.pid]);
    const reported = await loadReport(load, [`${port}`, ...files, `${clients}`, `${requests}`, `${rate}`], server.name);
    return {
      requests: reported("requests"),
      perSecond: reported("perSecond"),
      cpuMicroseconds: (cpuMicroseconds([server.pid]) - before) / reported("requests"),
      p50Microseconds: reported("p50Us"),
      p99Microseconds: reported("p99Us"),
    };
  };
  const handler = handlerTimes(ours.server);
  for (const target of [ours, theirs]) await run(target, { clients: 8, rate: 0, requests: 2_000 });
  const rows: AdmissionRow[] = [];
  for (const each of plan.loads) {
    const [own, limit, times]: [Measurement[], Measurement[], { p50Ms: number; p99Ms: number }[]] = [[], [], []];
    for (let round = 1; round <= plan.rounds; round++) {
      await handler();
      own.push(await run(ours, each));
      times.push(await handler());
      limit.push(await run(theirs, each));
      progress(
        `webhook, ${describe(each)}, round ${round}/${plan.rounds}: handler p99 ${times.at(-1)?.p99Ms.toFixed(2)} ms, ` +
          `${own.at(-1)?.cpuMicroseconds.toFixed(0)} us, limit ${limit.at(-1)?.cpuMicroseconds.toFixed(0)} us`,
      );
    }
    rows.push({
      ...each,
      confcom: medians(own),
      limit: medians(limit),
      handler: { p50Ms: median(times.map(({ p50Ms }) => p50Ms)), p99Ms: median(times.map(({ p99Ms }) => p99Ms)) },
      ofLimit: median(own.map(({ cpuMicroseconds }, i) => (limit[i] as Measurement).cpuMicroseconds / cpuMicroseconds)),
    });
  }
  await Promise.all([ours.server.stop(), theirs.server.stop()]);
  return { requestBytes: Buffer.byteLength(review), answerBytes: Buffer.byteLength(answer), rows };
}

export function describe({ clients, rate }: AdmissionLoad): string {
  return `${clients} ${clients === 1 ? "client" : "clients"}${rate === 0 ? "" : `, ${rate}/s`}`;
}

async function start(name: string, program: string, argv: readonly string[]): Promise<Target> {
  const module = fileURLToPath(new URL(program, import.meta.url));
  const server = new ServerProcess(name, "", [process.execPath, module, ...argv], process.env);
  return { server, port: Number(await server.said(/^ready (\d+)$/m)) };
}

/** Asks the server for its handler's times since the last call. */
function handlerTimes(server: ServerProcess): () => Promise<{ p50Ms: number; p99Ms: number }> {
  let asked = 0;
  return async () => {
    process.kill(server.pid, "SIGUSR2");
    const [p50Ms = 0, p99Ms = 0] = (await server.said(new RegExp(`^handler ${++asked}: (.*)$`, "m")))
      .split(" ")
      .map(Number);
    return { p50Ms, p99Ms };
  };
}

function ask(port: number, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // The certificate is made for this run and by it.
    const agent = new Agent({ rejectUnauthorized: false });
    const headers = { "content-type": "application/json" };
    const asked = request(
      { host: "127.0.0.1", port, agent, method: "POST", path: "/mutate/slot", headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject).on("end", () => {
          agent.destroy();
          resolve(text);
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}
