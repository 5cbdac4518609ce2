import { decodeQuote, type Quote, toHex } from "@confcom/sgx";
import { oidToText } from "@confcom/sgx/der";
import { compareKey, type EmbeddedQuote, type KeyBinding, readEmbeddedQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { TreeNode } from "../terminal/tree.ts";
import { isoDate } from "./certificate-tree.ts";

/** A certificate with the quote that it carries, decoded; nothing is verified. */
export interface InspectedCertificate {
  readonly embedded: EmbeddedQuote;
  readonly quote: Quote;
  readonly keyBinding: KeyBinding;
}

/** Decodes a certificate and its quote. Throws VerifyError `CERTIFICATE` or `EMBEDDED_QUOTE`, or SgxFormatError. */
export function inspectCertificate(bytes: Uint8Array): InspectedCertificate {
  const embedded = readEmbeddedQuote(bytes);
  const quote = decodeQuote(embedded.quote);
  return { embedded, quote, keyBinding: compareKey(embedded, quote.body.report.reportData, nodeCrypto) };
}

function claimsNodes({ keyReference }: EmbeddedQuote): TreeNode[] {
  if (!("claims" in keyReference)) return [];
  const claims = { name: "claims", value: toHex(keyReference.claims), note: "the quote is over their SHA-256" };
  if (keyReference.kind === "pem-claims") return [claims];
  const { algorithm, hash, nonce } = keyReference;
  return [
    claims,
    { name: "claim pubkey-hash", value: toHex(hash), note: algorithm },
    ...(nonce === undefined ? [] : [{ name: "claim nonce", value: toHex(nonce) }]),
  ];
}

/** The certificate around a quote: whose it is, what it carries, and whether the quote names its key. */
export function embeddedQuoteTree({ embedded, keyBinding }: InspectedCertificate): TreeNode {
  const { certificate, oid, scheme, format, others } = embedded;
  return {
    name: "certificate",
    value: certificate.subject.text,
    children: [
      { name: "issuer", value: certificate.issuer.text },
      { name: "valid", value: `${isoDate(certificate.notBefore)} to ${isoDate(certificate.notAfter)}` },
      { name: "public key", value: toHex(certificate.publicKeyInfo), note: "SubjectPublicKeyInfo" },
      { name: "extensions", value: certificate.extensions.map((one) => oidToText(one.oid)).join(" ") },
      { name: "quote in", value: oid, note: `${scheme}: ${format}` },
      ...others.map((other) => ({ name: "quote also in", value: other, note: "not looked at" })),
      ...claimsNodes(embedded),
      { mark: keyBinding.bound ? "✓" : "✗", name: "key binding:", value: keyBinding.found },
    ],
  };
}
