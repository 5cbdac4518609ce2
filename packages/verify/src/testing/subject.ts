import { readFileSync } from "node:fs";
import { type Collateral, decodeQuote } from "@confcom/sgx";
import { readGzipLines, type VerificationCase } from "../conformance/verification-cases.ts";
import { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } from "../trusted-root.ts";
import { decodePemCertificates } from "../x509/pem.ts";

/** A quote with everything it is verified with. */
export interface Subject {
  readonly name: string;
  readonly quote: Uint8Array;
  readonly collateral: Collateral;
  /** 65 bytes. */
  readonly trustedRoot: Uint8Array;
  /** DER of the certificate with that key. */
  readonly rootCertificate: Uint8Array;
  readonly now: Date;
}

function fixture(path: string): Buffer {
  return readFileSync(new URL(`../fixtures/real/${path}`, import.meta.url));
}

/** The last certificate of a PEM text. */
function lastCertificate(pem: string): Uint8Array {
  const der = decodePemCertificates(new TextEncoder().encode(pem))?.at(-1);
  if (der === undefined) throw new Error("no certificate in the text");
  return der;
}

/** A quote of a real platform with the reference verifier's answer to it. */
export interface RealSubject extends Subject {
  readonly recorded: { readonly result: string; readonly expired: boolean; readonly advisories: string };
}

/** The quotes of real platforms whose collateral is public, at a date at which all of it is valid. */
export function realSubjects(): RealSubject[] {
  const expected = JSON.parse(fixture("expected.json").toString("utf8")) as {
    quote: string;
    collateral: string;
    when: string;
    date: number;
    intel: { ret: string; qv: string; expired: 0 | 1; sa: string | null };
  }[];
  return expected
    .filter(({ when, intel }) => when === "valid" && intel.ret === "0x0000")
    .map(({ quote, collateral, date, intel }) => {
      const fields = JSON.parse(fixture(`collateral/${collateral}.json`).toString("utf8")) as Collateral;
      return {
        name: `${quote} with ${collateral}`,
        quote: new Uint8Array(fixture(`quotes/${quote}`)),
        collateral: fields,
        trustedRoot: INTEL_SGX_ROOT_KEY,
        rootCertificate: lastCertificate(fields.tcb_info_issuer_chain),
        now: new Date(date * 1000),
        recorded: { result: intel.qv, expired: intel.expired === 1, advisories: intel.sa ?? "" },
      };
    });
}

/** Synthetic quotes of the kinds that no public real one is of. */
const LABELLED = ["ok_platform", "ok_processor", "ok_sgx_v4", "ok_sgx_v5", "ok_tdx_v4", "tdx5_relaunch_to0"];

/** Labelled cases that verify; by default one of each kind. */
export function labelledSubjects(names: readonly string[] = LABELLED): Subject[] {
  return readGzipLines<VerificationCase>("verification/cases.jsonl.gz")
    .filter(({ name }) => names.includes(name))
    .map(({ name, quote, collateral, trustedRoot, date }) => ({
      name,
      quote: new Uint8Array(Buffer.from(quote, "base64")),
      collateral,
      trustedRoot: trustedRootFromCertificate(trustedRoot),
      rootCertificate: lastCertificate(trustedRoot),
      now: new Date(date * 1000),
    }));
}

/** The parts of a quote's PEM chain, leaf first. */
export function quoteChain(quote: Uint8Array): Uint8Array[] {
  return decodePemCertificates(decodeQuote(quote).signatureData.certificationData) ?? [];
}
