import { bytesEqual, decodeQuote } from "@confcom/sgx";
import { decodePemCertificates, parseCertificate } from "@confcom/verify";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";

/**
 * Refuses a quote whose own chain ends in a root that is not trusted: whatever sources answered, it would not be verified,
 * and they are not told of it. What cannot be read, or has no root, is for others to judge. Throws CommandError.
 */
export function assertTrustedRoot(quote: Uint8Array, trustedRoots: readonly Uint8Array[]): void {
  const root = rootOf(quote);
  if (root === undefined || trustedRoots.some((trusted) => bytesEqual(trusted, root.publicKey))) return;
  throw new CommandError(
    "CLI_ROOT_UNTRUSTED",
    `the quote is NOT VERIFIED: its chain ends in "${root.subject.text}", whose key is not among the trusted roots; no source was asked`,
    "--trust-root ROOT.pem would trust this root (with --source or --pccs-url for its collateral); `verify --state DIR` has both of a software platform here.",
    { exitCode: ExitCode.NOT_VERIFIED },
  );
}

function rootOf(quote: Uint8Array) {
  try {
    const chain = decodePemCertificates(decodeQuote(quote).signatureData.certificationData) ?? [];
    return chain.map((der) => parseCertificate(der)).find(({ issuer, subject }) => issuer.text === subject.text);
  } catch {
    return undefined;
  }
}
