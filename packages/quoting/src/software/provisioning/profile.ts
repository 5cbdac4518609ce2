/**
 * What the software platform's certificates say of themselves: the shape of Intel's profile (spec: DCAP §8), so that
 * verifiers read them, and nothing of Intel's identity, so that nobody takes them for Intel's.
 */

/**
 * Verifiers look for "SGX Root CA", "CA", "SGX PCK Certificate" and "SGX TCB Signing" inside the common name, and tell
 * the CA type from "Platform" or "Processor" in the issuer's; the rest of the name is free.
 */
export const COMMON_NAMES = {
  root: "Confcom Software SGX Root CA",
  platform: "Confcom Software SGX PCK Platform CA",
  processor: "Confcom Software SGX PCK Processor CA",
  pck: "Confcom Software SGX PCK Certificate",
  tcbSigning: "Confcom Software SGX TCB Signing",
} as const;

/**
 * Names and addresses are short on purpose: with them a quote fits the 4734 bytes that recorded clients give as their
 * buffer, as a hardware quote does.
 */

/** Intel's five name parts in Intel's order. Nobody's address: ZZ is the country code ISO 3166 leaves to its users. */
export const ORGANIZATION = "confcom";
export const LOCALITY = "none";
export const STATE_OR_PROVINCE = "none";
export const COUNTRY = "ZZ";

export type CertificationCa = "platform" | "processor";

/**
 * CRL distribution points. `.invalid` resolves nowhere (RFC 6761): this collateral is read from the state directory or
 * its export. The paths are those of the provisioning service, so that a cache can recognise them.
 */
const COLLATERAL_HOST = "https://confcom.invalid";
export const ROOT_CRL_URI = `${COLLATERAL_HOST}/root.der`;
export const PCK_CRL_URIS: Readonly<Record<CertificationCa, string>> = {
  platform: `${COLLATERAL_HOST}/sgx/certification/v4/pckcrl?ca=platform&encoding=der`,
  processor: `${COLLATERAL_HOST}/sgx/certification/v4/pckcrl?ca=processor&encoding=der`,
};

/** The marker extension's UTF8String. */
export const SOFTWARE_MARKER_TEXT = "confcom software platform: not SGX hardware";

/** 6 bytes: the platform family of the software platform; no processor has it. */
export const FMSPC = Uint8Array.of(0xc0, 0xfc, 0x0a, 0x00, 0x00, 0x00);

/** Last second of the root and, with it, of everything below (as Intel's root). */
export const ROOT_NOT_AFTER = new Date(Date.UTC(2049, 11, 31, 23, 59, 59));
export const INTERMEDIATE_YEARS = 15;
export const LEAF_YEARS = 7;

const DAY_MS = 24 * 60 * 60 * 1000;
/** nextUpdate of TCB info, QE identity and PCK CRLs. */
export const COLLATERAL_LIFE_MS = 30 * DAY_MS;
export const ROOT_CRL_LIFE_MS = 365 * DAY_MS;
/** Collateral with less than this left is signed anew. */
export const COLLATERAL_RENEWAL_MS = 10 * DAY_MS;
/** A leaf certificate with less than this left is issued anew. */
export const LEAF_RENEWAL_MS = 60 * DAY_MS;
