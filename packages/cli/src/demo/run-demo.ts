import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AesmClient } from "@confcom/aesm";
import {
  decodeQeReportInfo,
  decodeQuote,
  decodeTargetInfo,
  encodeQeReportInfo,
  REPORT_SIZE,
  toHex,
} from "@confcom/sgx";
import { trustedRootFromCertificate, type VerificationResult, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { quoteTree } from "../inspect/quote-tree.ts";
import { qeReportMatches } from "../qe-report-check.ts";
import { openExistingPlatform } from "../quote-helper/platform.ts";
import { createDemoEnclave } from "../software-enclave.ts";
import type { Output } from "../terminal/output.ts";
import { drawTree } from "../terminal/tree.ts";
import { printVerdict, verdictJson } from "../verify/verdict.ts";
import { startDaemon } from "./daemon.ts";
import { Steps } from "./steps.ts";

/** Ctrl-C, a polite kill, a closed terminal, Ctrl-\\: whatever ends the demo, nothing is left. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

const STATEMENT = "hello from a machine without SGX";

/** Makes one quote through a quote helper of its own and verifies it. Everything it starts or writes is gone at the end. */
export async function runDemo(options: { full?: boolean; json?: boolean }, output: Output): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "confcom-demo-"));
  const kills: (() => void)[] = [];
  const started = (kill: () => void) => kills.push(kill);
  const cleanUp = () => {
    for (const kill of kills) kill();
    // A daemon that is being killed may still be making a file.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  };
  const interrupted = () => {
    cleanUp();
    process.exit(130);
  };
  for (const signal of ENDING) process.once(signal, interrupted);
  try {
    const steps = new Steps(output, options.json === true);
    const state = join(directory, "state");
    const socket = join(directory, "aesm.socket");
    steps.heading("One quote, end to end, on a machine that needs no SGX");
    const { service, root, token } = await startService(steps, directory, started);
    const daemon = await steps.run("start a quote helper", async () => {
      const registers = ["--pccs", service.ready.url, "--pccs-root", root, "--pccs-user-token-file", token];
      const serves = ["--socket", socket, "--state", state, "--workers", "2"];
      const value = await startDaemon("quote-helper", [...serves, ...registers], started);
      return { value, found: `process ${value.pid}, ${value.ready.workers} event loops, ${socket}` };
    });
    const made = await makeQuote(steps, socket);
    const result = await verifyMade(steps, state, made.quote);
    await steps.run("stop the quote helper", async () => ({ value: await daemon.stop(), found: "drained and left" }));
    await steps.run("stop the PCCS", async () => ({ value: await service.stop(), found: "drained and left" }));
    if (options.json) output.json({ steps: steps.done, quote: made.quote, verification: verdictJson(result) });
    else printResult(made.quote, result, options.full === true, output);
  } finally {
    for (const signal of ENDING) process.off(signal, interrupted);
    cleanUp();
  }
}

/** A PCCS with the software platform's provisioning authority behind it, and what a helper needs to register there. */
async function startService(steps: Steps, directory: string, onSpawn: (kill: () => void) => void) {
  const [root, token, hashes] = ["root.pem", "user-token", "user-token-hashes"].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const secret = randomBytes(32).toString("hex");
  writeFileSync(token, secret, { mode: 0o600 });
  writeFileSync(hashes, `${createHash("sha512").update(secret).digest("hex")}\n`, { mode: 0o600 });
  const service = await steps.run("start a PCCS", async () => {
    const serves = ["--http", "--listen", "127.0.0.1:0", "--state", join(directory, "pccs"), "--mode", "req"];
    const upstream = ["--upstream", "software", "--user-token-file", hashes];
    const value = await startDaemon("pccs", [...serves, ...upstream], onSpawn);
    return { value, found: `process ${value.pid}, ${value.ready.url}, with a provisioning CA of its own` };
  });
  writeFileSync(root, service.ready.rootCertificate);
  return { service, root, token };
}

async function makeQuote(steps: Steps, socketPath: string): Promise<{ quote: Uint8Array }> {
  const client = new AesmClient({ socketPath });
  const keyId = await steps.run("ask for its attestation keys", async () => {
    const [first] = await client.supportedKeyIds();
    if (first === undefined) throw new Error("the quote helper offers no attestation key");
    return { value: first, found: "1 key: ECDSA on P-256, the id that DCAP clients know" };
  });
  const { targetInfo } = await steps.run("init_quote_ex", async () => {
    const value = await client.initQuote(keyId);
    const { mrEnclave } = decodeTargetInfo(value.targetInfo);
    return {
      value,
      found: `platform registered, key ${short(value.pubKeyId)} certified; the report must be for QE ${short(mrEnclave)}`,
    };
  });
  const enclave = createDemoEnclave();
  const report = await steps.run("EREPORT in a software enclave", async () => ({
    value: enclave.report(targetInfo, createHash("sha256").update(STATEMENT).digest()),
    found: `MRENCLAVE ${short(enclave.identity.mrEnclave)} says SHA-256("${STATEMENT}")`,
  }));
  const size = await steps.run("get_quote_size_ex", async () => {
    const value = await client.quoteSize(keyId);
    return { value, found: `${value} bytes` };
  });
  const nonce = new Uint8Array(randomBytes(16));
  const qeReportInfo = encodeQeReportInfo({
    nonce,
    appEnclaveTargetInfo: enclave.targetInfo,
    qeReport: new Uint8Array(REPORT_SIZE),
  });
  return steps.run("get_quote_ex", async () => {
    const value = await client.getQuote(report, size, { keyId, qeReportInfo });
    const { qeReport } = decodeQeReportInfo(value.qeReportInfo ?? new Uint8Array());
    if (!qeReportMatches(qeReport, nonce, value.quote, enclave)) throw new Error("the QE's report does not match");
    return { value, found: "report became a quote; the QE's own report matches our nonce" };
  });
}

async function verifyMade(steps: Steps, state: string, quote: Uint8Array): Promise<VerificationResult> {
  const { collateral, root } = await steps.run("fetch collateral from the PCCS", async () => {
    const platform = await openExistingPlatform(state, () => {});
    const value = { collateral: await platform.authority.collateral(), root: platform.authority.rootCertificatePem };
    await platform.close();
    return { value, found: "root CRL, PCK CRL, TCB info, QE identity, each signed under the service's root" };
  });
  return steps.run("verify the quote", async () => {
    const trustedRoots = [trustedRootFromCertificate(root)];
    const value = verifyQuote(quote, collateral, { now: new Date(), trustedRoots, crypto: nodeCrypto });
    return { value, found: `${value.result} (root named on purpose; no verifier trusts it by itself)` };
  });
}

function printResult(quote: Uint8Array, result: VerificationResult, full: boolean, output: Output): void {
  const { style } = output;
  output.line();
  const width = full ? Number.POSITIVE_INFINITY : 66;
  for (const line of drawTree(quoteTree(decodeQuote(quote)), style, width)) output.line(line);
  output.line();
  printVerdict(result, output);
  output.line();
  output.line(style.strong("Try next"));
  output.line("  npx confcom quote-helper --socket /tmp/aesm.socket --state /tmp/confcom-state");
  output.line("  npx confcom quote --socket /tmp/aesm.socket --report-data 636f6e66636f6d --out quote.bin");
  output.line("  npx confcom verify quote.bin --state /tmp/confcom-state");
  output.line("  npx confcom inspect quote.bin");
}

function short(bytes: Uint8Array): string {
  return `${toHex(bytes).slice(0, 12)}…`;
}
