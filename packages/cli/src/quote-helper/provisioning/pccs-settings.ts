import { X509Certificate } from "node:crypto";
import { PlatformError } from "@confcom/quoting";
import { CommandError } from "../../command-error.ts";
import { ExitCode } from "../../exit-code.ts";
import { readInput } from "../../input/read-input.ts";

/** Which service certifies the platform, as the command line and the configuration file name it. Files are PEM or text. */
export interface PccsSettings {
  readonly url?: string;
  readonly root?: string;
  readonly ca?: string;
  readonly userTokenFile?: string;
}

/** What a service is known by: PEM. */
export interface PccsTrust {
  readonly rootCertificatePem: string;
  /** Undefined: the well-known CAs. */
  readonly tlsCa: string | undefined;
}

/** A service that was named completely. */
export interface PccsAccess {
  readonly url: string;
  /** Reads root and CA anew. Throws an Error that says which file is not there, empty or no certificate. */
  readonly trust: () => PccsTrust;
  /** Reads the file anew; undefined when none was named. Throws PlatformError ISSUER_UNREACHABLE, CommandError. */
  readonly userToken: () => string | undefined;
}

const PEM_SIZE = 64 * 1024;
const TOKEN_SIZE = 4096;

function refuse(what: string, nextStep: string): CommandError {
  return new CommandError("CLI_CONFIGURATION", what, nextStep, { exitCode: ExitCode.CONFIGURATION });
}

/**
 * The service to register with, undefined when none is named: the command line's word goes before the file's. No file is
 * read yet. Throws CommandError for a service without a root, and for a root, CA or token without a service.
 */
export function pccsAccess(flags: PccsSettings, file: PccsSettings = {}): PccsAccess | undefined {
  const { url, root, ca, userTokenFile } = { ...file, ...flags };
  if (url === undefined) {
    if (root === undefined && ca === undefined && userTokenFile === undefined) return undefined;
    throw refuse("a root, CA or user token for a PCCS was given, and no PCCS", "Name the service with --pccs URL.");
  }
  if (root === undefined) {
    throw refuse(
      `no root certificate was given to check what the PCCS ${JSON.stringify(url)} answers`,
      "Name it with --pccs-root PEM: the service's operator has it (root-ca.pem in the service's software-authority).",
    );
  }
  return {
    url,
    trust: () => ({
      rootCertificatePem: certificate(root, "the root certificate"),
      tlsCa: ca === undefined ? undefined : certificate(ca, "the PCCS's CA"),
    }),
    userToken: () => (userTokenFile === undefined ? undefined : tokenOf(userTokenFile)),
  };
}

/** Of a bundle the first certificate is looked at: a file that is being filled is none yet. */
function certificate(path: string, what: string): string {
  const pem = text(path, what, PEM_SIZE);
  if (pem.trim() === "") throw new Error(`${path} is empty: ${what} is awaited`);
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new Error(`${path} does not hold ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  return pem;
}

function tokenOf(path: string): string {
  let token: string;
  try {
    token = text(path, "the user token", TOKEN_SIZE).trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError("ISSUER_UNREACHABLE", why, { cause });
  }
  if (token === "") throw new PlatformError("ISSUER_UNREACHABLE", `${path} is empty: the user token is awaited`);
  // What a header value can carry; the token itself is in no message.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw refuse(`${path} does not hold one token of printable characters`, "Put the user token alone into the file.");
}

function text(path: string, what: string, limit: number): string {
  return new TextDecoder().decode(readInput(path, what, limit));
}
