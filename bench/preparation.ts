import { createPublicKey, randomBytes, verify } from "node:crypto";
import { writeFileSync } from "node:fs";
import {
  decodeReply,
  exchange,
  initQuoteRequest,
  keyIdCountRequest,
  quoteRequest,
  quoteSizeRequest,
  replyBytes,
} from "./frames.ts";
import type { LoadFiles } from "./load.ts";
import { SIMULATION_KEY_ID, simulatedReport } from "./reports.ts";

/** Distinct reports of the fresh-KEYID workload: far more than any cache of report keys holds. */
const FRESH_REPORTS = 20_000;
const INVALID_REPORT = 47;

export interface Platform {
  /** 512 bytes: whom the reports must be for. */
  readonly targetInfo: Buffer;
  readonly quoteSize: number;
  /** One complete quote of this platform. */
  readonly quote: Buffer;
}

/** Asks a quote helper what every client asks before its first quote, and for one quote. */
export async function firstQuote(socketPath: string): Promise<Platform> {
  const init = decodeReply(await exchange(socketPath, initQuoteRequest()), 15);
  const targetInfo = Buffer.from(replyBytes(init, 2));
  const size = decodeReply(await exchange(socketPath, quoteSizeRequest()), 16);
  const quoteSize = size.fields.get(2);
  if (size.code !== 0 || typeof quoteSize !== "number") throw new Error(`getQuoteSizeEx answered ${size.code}`);
  const report = simulatedReport(targetInfo, SIMULATION_KEY_ID, Buffer.alloc(64));
  const reply = decodeReply(await exchange(socketPath, quoteRequest(report, quoteSize)), 17);
  return { targetInfo, quoteSize, quote: Buffer.from(replyBytes(reply, 2)) };
}

export const WORKLOADS = ["front door", "quote, constant KEYID", "quote, fresh KEYID"] as const;
export type Workload = (typeof WORKLOADS)[number];

/** Writes the framed requests of each workload into `directory`; gives the path of each file. */
export function writeRequests(directory: string, platform: Platform): ReadonlyMap<Workload, string> {
  const quoteWith = (keyId: Buffer): Buffer =>
    quoteRequest(simulatedReport(platform.targetInfo, keyId, randomBytes(64)), platform.quoteSize);
  const requests = new Map<Workload, Buffer>([
    ["front door", keyIdCountRequest()],
    ["quote, constant KEYID", Buffer.concat(Array.from({ length: 100 }, () => quoteWith(SIMULATION_KEY_ID)))],
    ["quote, fresh KEYID", Buffer.concat(Array.from({ length: FRESH_REPORTS }, () => quoteWith(randomBytes(32))))],
  ]);
  const paths = new Map<Workload, string>();
  for (const [workload, bytes] of requests) {
    const path = `${directory}/${workload.replaceAll(/\W+/g, "-")}.requests`;
    writeFileSync(path, bytes);
    paths.set(workload, path);
  }
  return paths;
}

/**
 * Makes sure that a server does the work it is measured for: the key id count, a quote of the report that was sent with a signature
 * that verifies, and 47 for a report changed in one bit of its body, its KEYID or its MAC. Writes one reply per workload
 * for the load generator to compare with.
 */
export async function checkSameWork(
  name: string,
  socketPath: string,
  platform: Platform,
  requests: ReadonlyMap<Workload, string>,
  directory: string,
): Promise<ReadonlyMap<Workload, LoadFiles>> {
  const fail = (what: string): never => {
    throw new Error(`${name} ${what}: it does not do the work that is measured`);
  };
  const count = await exchange(socketPath, keyIdCountRequest());
  if (decodeReply(count, 21).fields.get(2) !== 1) fail("does not report one key id");

  const report = simulatedReport(platform.targetInfo, randomBytes(32), randomBytes(64));
  const quoted = await exchange(socketPath, quoteRequest(report, platform.quoteSize));
  const quote = replyBytes(decodeReply(quoted, 17), 2);
  if (quote.length !== platform.quoteSize) fail(`answered a quote of ${quote.length} bytes`);
  if (!quote.subarray(48, 432).equals(report.subarray(0, 384))) fail("quoted another report");
  if (!signatureVerifies(quote)) fail("signed wrongly");
  for (const bit of [8 * 70, 8 * 400 + 3, 8 * 431 + 7]) {
    const forged = Buffer.from(report);
    forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const refusal = decodeReply(await exchange(socketPath, quoteRequest(forged, platform.quoteSize)), 17);
    if (refusal.code !== INVALID_REPORT) fail(`answered ${refusal.code} to a forged report`);
  }

  const files = new Map<Workload, LoadFiles>();
  for (const [workload, path] of requests) {
    const reply = `${directory}/${workload.replaceAll(/\W+/g, "-")}.${name.replaceAll(/\W+/g, "-")}.reply`;
    writeFileSync(reply, workload === "front door" ? count : quoted);
    files.set(workload, { requests: path, reply });
  }
  return files;
}

/** The attestation key's signature over header and body (spec: DCAP §3). */
function signatureVerifies(quote: Buffer): boolean {
  const key = createPublicKey({
    key: {
      kty: "EC",
      crv: "P-256",
      x: quote.subarray(500, 532).toString("base64url"),
      y: quote.subarray(532, 564).toString("base64url"),
    },
    format: "jwk",
  });
  return verify("sha256", quote.subarray(0, 432), { key, dsaEncoding: "ieee-p1363" }, quote.subarray(436, 500));
}
