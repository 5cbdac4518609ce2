import { createHash } from "node:crypto";
import { createQuoteProvider, type QuoteProvider, QuoteProviderError } from "@confcom/quoting";
import { createSoftwareEnclave } from "@confcom/quoting/software";
import { decodeQuote, Quote3, toHex } from "@confcom/sgx";
import { DEFAULT_CHALLENGE, reportDataFor } from "./challenge.ts";

// The attester. A software enclave stands in for the application's own: everything after its report is what an
// application on hardware does too. Environment: SGX_AESM_ADDR (present: quotes come from the node's quote helper),
// CHALLENGE (what the verifier sent), CONFCOM_STATE (in-process only: the directory of this container's own platform).

/** Rounds of target info, report and quote while the quoting enclave's key is being replaced. */
const ATTEMPTS = 5;

const measurement = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());

const enclave = createSoftwareEnclave({
  identity: {
    mrEnclave: measurement("confcom sample enclave"),
    mrSigner: measurement("confcom sample signer"),
    isvProdId: 1,
    isvSvn: 1,
  },
});

/** The three calls of every DCAP application. A key that changed in between (0xE00F) means: once more, with a new report. */
async function attest(provider: QuoteProvider, reportData: Uint8Array): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      const report = enclave.report(await provider.getTargetInfo(), reportData);
      return await provider.getQuote(report, await provider.getQuoteSize());
    } catch (error) {
      const keyMoved = error instanceof QuoteProviderError && error.quote3 === Quote3.ATT_KEY_NOT_INITIALIZED;
      if (!keyMoved || attempt === ATTEMPTS) throw error;
    }
  }
}

function describe(quote: Uint8Array): string[] {
  const { header, body } = decodeQuote(quote);
  if (body.kind !== "sgx") throw new Error("an SGX enclave's report became a quote of another kind");
  return [
    `quote version ${header.version}, ${quote.length} bytes`,
    `MRENCLAVE     ${toHex(body.report.mrEnclave)}`,
    `MRSIGNER      ${toHex(body.report.mrSigner)}`,
    `product       ${body.report.isvProdId}, security version ${body.report.isvSvn}`,
    `report data   ${toHex(body.report.reportData)}`,
  ];
}

function explain(error: unknown, mode: string): string[] {
  const lines = [`no quote (${mode})`];
  const told = new Set<string>();
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 5; depth++, at = at.cause) {
    const name = at instanceof QuoteProviderError ? ` [0x${at.quote3.toString(16)} ${at.quote3Name}]` : "";
    if (!told.has(at.message)) lines.push(`${depth === 0 ? "reason" : "because"}: ${at.message}${name}`);
    told.add(at.message);
  }
  if (mode === "out-of-process") {
    lines.push(
      "The node's quote helper could not be used. Is /var/run/aesmd (the directory) mounted into this container, or a",
      "sgx.confcom.dev/quote slot asked for, and is the node's sgx-quote-helper pod ready?",
    );
  } else {
    lines.push(
      "SGX_AESM_ADDR is not set, so this container hosts QE and PCE itself; that needs a writable state directory",
      '(CONFCOM_STATE) and EPC for them. Set SGX_AESM_ADDR to "1" to use the node\'s quote helper.',
    );
  }
  return lines;
}

const challenge = process.env.CHALLENGE ?? DEFAULT_CHALLENGE;
const provider = createQuoteProvider({
  env: process.env,
  ...(process.env.CONFCOM_STATE === undefined ? {} : { stateDirectory: process.env.CONFCOM_STATE }),
});
const mode = provider.mode;
const where =
  mode === "out-of-process"
    ? "SGX_AESM_ADDR is set: the node's quote helper makes the quote"
    : "SGX_AESM_ADDR is not set: this container makes the quote itself, with a platform of its own";
console.log(`mode: ${mode} (${where})`);
try {
  const quote = await attest(provider, reportDataFor(challenge));
  for (const line of describe(quote)) console.log(line);
  console.log("enclave       a software enclave: this proves nothing about hardware");
  console.log(`quote: ${Buffer.from(quote).toString("base64")}`);
} catch (error) {
  for (const line of explain(error, mode)) console.error(line);
  process.exitCode = 1;
} finally {
  await provider.close();
}
