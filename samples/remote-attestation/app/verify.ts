import { readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Collateral, QV_RESULTS, QvResult, toHex } from "@confcom/sgx";
import { trustedRootFromCertificate, validate, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { DEFAULT_CHALLENGE, reportDataFor } from "./challenge.ts";

// The relying party. Takes what was made elsewhere: the quote (base64, or the attester's whole log), the root certificate
// to trust, and collateral. Exit status: 0 verified, 1 verified but not what was asked for, 2 not verified, 64 or 65 for
// arguments and files.

const MAX_FILE = 1024 * 1024;

class InputError extends Error {}

function readText(path: string, what: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE) throw new Error(`${size} bytes, more than ${MAX_FILE}`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InputError(`${what}: ${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** The base64 after `quote:`, where the text is the attester's log; else the whole text. */
function quoteIn(text: string): Uint8Array {
  const line = /^quote: (\S+)$/m.exec(text)?.[1] ?? text.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(line)) throw new InputError("the quote is not base64, nor a log of the attester");
  return new Uint8Array(Buffer.from(line, "base64"));
}

function collateralIn(text: string): Collateral {
  try {
    return JSON.parse(text) as Collateral;
  } catch {
    throw new InputError("the collateral is not JSON; export it with `confcom collateral export --out -`");
  }
}

function verify(paths: { quote: string; root: string; collateral: string }, challenge: string): number {
  const quote = quoteIn(readText(paths.quote, "the quote"));
  const root = trustedRootFromCertificate(new TextEncoder().encode(readText(paths.root, "the root certificate")));
  const collateral = collateralIn(readText(paths.collateral, "the collateral"));
  const now = new Date();
  const result = verifyQuote(quote, collateral, { now, trustedRoots: [root], crypto: nodeCrypto });
  if (result.ret !== 0) {
    console.log(`NOT VERIFIED: ${result.retName}: ${result.reason}`);
    return 2;
  }
  console.log(`VERIFIED: ${result.result}: ${QV_RESULTS[QvResult[result.result]].explanation}`);
  console.log(
    `platform   ${result.platform}${result.platform === "software" ? ": proves nothing about hardware" : ""}`,
  );
  if (result.quote?.body.kind === "sgx") {
    console.log(`MRENCLAVE  ${toHex(result.quote.body.report.mrEnclave)}`);
    console.log(`MRSIGNER   ${toHex(result.quote.body.report.mrSigner)}`);
  }
  // The root was named by the caller, so a software platform's is accepted here; on hardware leave "software" out.
  const policy = { allowedPlatforms: ["hardware", "other", "software"], reportData: reportDataFor(challenge) } as const;
  const verdict = validate(result, policy, now);
  for (const { rule, expected, found } of verdict.failures) {
    console.log(`NOT ACCEPTED: ${rule}: wanted ${expected}, found ${found}`);
  }
  if (verdict.met) console.log("ACCEPTED: the report data answers the challenge");
  return verdict.met ? 0 : 1;
}

try {
  const { values } = parseArgs({
    options: {
      quote: { type: "string", default: "/attestation/quote/quote" },
      root: { type: "string", default: "/attestation/platform/root.pem" },
      collateral: { type: "string", default: "/attestation/platform/collateral.json" },
      challenge: { type: "string", default: process.env.CHALLENGE ?? DEFAULT_CHALLENGE },
    },
  });
  process.exitCode = verify(values, values.challenge);
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(`error: ${text}`);
  const isUsage = error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  process.exitCode = isUsage ? 64 : 65;
}
