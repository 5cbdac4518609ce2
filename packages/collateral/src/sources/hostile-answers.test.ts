import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@confcom/sgx";
import fc from "fast-check";
import { CollateralError } from "../errors.ts";
import type { HttpAnswer } from "../http/index.ts";
import type { CollateralRequest } from "../request.ts";
import { pckRequest, SoftwarePki, TEST_FMSPC } from "../testing/software-pki.ts";
import { crlDer } from "./crl-answer.ts";
import { answerTo } from "./document-answer.ts";
import { pckCertificatesAnswer } from "./pck-certificates-answer.ts";
import { PCCS_MEANINGS, refusal } from "./refusal.ts";

const pki = new SoftwarePki();
const platform = pki.addPlatform({ name: "one", ca: "platform" });
const crl = pki.crl("platform");

function refusedOrRead(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CollateralError, String(error));
    assert.equal(error.code, "SOURCE_ANSWER");
    assert.ok(error.message.length < 300);
  }
}

const REQUESTS: readonly CollateralRequest[] = [
  pckRequest(platform),
  { kind: "pck-crl", ca: "platform" },
  { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 },
  { kind: "identity", id: "QE", update: "standard", version: 4 },
  { kind: "root-ca-crl" },
];
const CHAIN = encodeURIComponent(pki.pckIssuerChain("platform"));
const HEADERS = [
  "sgx-pck-certificate-issuer-chain",
  "sgx-pck-crl-issuer-chain",
  "tcb-info-issuer-chain",
  "sgx-enclave-identity-issuer-chain",
  "sgx-tcbm",
  "sgx-fmspc",
  "sgx-pck-certificate-ca-type",
  "cache-control",
] as const;

test("whatever a service answers is read or refused with SOURCE_ANSWER in a short message", () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc
      .constantFrom('{"tcbInfo":{},"signature":""}', '{"pckCert":1}', '{"enclaveIdentity":null}')
      .map((text) => new TextEncoder().encode(text)),
    fc.constant(new TextEncoder().encode(platform.certificates.certificates[0]?.certificate ?? "")),
  );
  const value = fc.oneof(fc.string(), fc.constant(CHAIN), fc.constant("00".repeat(18)));
  const headers = fc.dictionary(fc.constantFrom(...HEADERS), value);
  fc.assert(
    fc.property(body, headers, fc.constantFrom(...REQUESTS), (bytes, given, request) => {
      const answer: HttpAnswer = { status: 200, headers: given, body: bytes };
      refusedOrRead(() => answerTo(request, answer, "source"));
      refusedOrRead(() => pckCertificatesAnswer(answer, "source"));
    }),
    { numRuns: 300 },
  );
});

test("a CRL is the same DER in each of its three encodings, and one changed length is no CRL", () => {
  const hex = toHex(crl);
  const base64 = Buffer.from(crl).toString("base64").replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
  for (const text of [hex, hex.toUpperCase(), `${hex}\n`, pem, pem.replaceAll("\n", "\r\n")]) {
    assert.deepEqual(crlDer(Buffer.from(text), "source", "the CRL"), crl);
  }
  assert.equal(crlDer(crl, "source", "the CRL"), crl);
  const broken = [
    crl.subarray(1),
    crl.subarray(0, -1),
    Buffer.concat([crl, crl]),
    Buffer.from(hex.slice(1)),
    Buffer.from(`${pem}x`),
  ];
  for (const bytes of broken) assert.throws(() => crlDer(bytes, "source", "the CRL"), { code: "SOURCE_ANSWER" });
});

test("a refusal is one line of printable text, whatever its headers say", () => {
  const clock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => {} };
  const headers = fc.dictionary(
    fc.constantFrom("error-code", "error-message", "request-id", "retry-after"),
    fc.string({ unit: "binary", maxLength: 250 }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 999 }), headers, (status, given) => {
      const error = refusal({ status, headers: given, body: new Uint8Array() }, "source", PCCS_MEANINGS, clock);
      assert.match(error.message, /^[\x20-\x7e]{1,600}$/);
      assert.equal(error.status, status);
      assert.ok((error.retryAfterMs ?? 0) >= 0);
    }),
  );
});
