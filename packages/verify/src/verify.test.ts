import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex, Quote3 } from "@confcom/sgx";
import { oidFromText } from "@confcom/sgx/der";
import {
  BUDGETS,
  type Collateral,
  createVerificationCache,
  createVerifier,
  INTEL_SGX_ROOT_KEY,
  isSoftwarePlatform,
  type QveCollateral,
  SOFTWARE_PLATFORM_OID,
  trustedRootFromCertificate,
  VerifyError,
  verifyQuote,
} from "./index.ts";
import { nodeCrypto } from "./node-crypto.ts";
import type { Certificate } from "./x509/certificate.ts";
import { decodePemCertificates } from "./x509/pem.ts";

const read = (path: string) => readFileSync(new URL(`./fixtures/real/${path}`, import.meta.url));
const quote = read("quotes/tdx_v4_f1c850330112.bin");
const collateral = JSON.parse(read("collateral/dq_tdx_b0c06f.json").toString()) as Collateral;
const expected = JSON.parse(read("expected.json").toString()) as { quote: string; when: string; date: number }[];
const date = expected.find((one) => one.quote === "tdx_v4_f1c850330112.bin" && one.when === "valid")?.date ?? 0;
const terms = { now: new Date(date * 1000), trustedRoots: [INTEL_SGX_ROOT_KEY] };
const options = { ...terms, crypto: nodeCrypto };

const QE_SIGNED = [
  "parameters",
  "quote format",
  "PCK certificate chain format",
  "trusted root",
  "collateral format",
  "PCK certificate",
  "TCB info",
  "QE identity",
  "TCB info match",
  "TDX module",
  "QE report",
  "QE",
  "quote signature",
  "TCB level",
  "verdict",
];

describe("verifyQuote", () => {
  it("says step by step what it found", () => {
    const result = verifyQuote(quote, collateral, options);
    assert.equal(result.result, "OK");
    assert.deepEqual(
      result.steps.map(({ name }) => name),
      QE_SIGNED,
    );
    assert.ok(result.steps.every(({ outcome, found }) => outcome === "passed" && found.length > 0));
    assert.equal(result.quote?.body.kind, "td-1.0");
    assert.equal(result.supplemental?.teeType, 0x81);
    assert.deepEqual(result.warnings, []);
  });

  it("ends at the step that fails, and keeps what was found before", () => {
    const flipped = Uint8Array.from(quote);
    flipped[100] = (flipped[100] as number) ^ 1;
    const result = verifyQuote(flipped, collateral, options);
    assert.equal(result.retName, "RESULT_INVALID_SIGNATURE");
    assert.equal(result.steps.at(-1)?.status, "STATUS_INVALID_QUOTE_SIGNATURE");
    assert.equal(result.steps.at(-1)?.outcome, "failed");
    assert.equal(result.supplemental, undefined);
    assert.deepEqual(result.advisories, []);
    assert.ok(result.quote !== undefined);
  });

  it("trusts the named roots only", () => {
    const other = fromHex(
      `04${"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"}${"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"}`,
    );
    for (const trustedRoots of [[], [other]]) {
      const result = verifyQuote(quote, collateral, { ...options, trustedRoots });
      assert.equal(result.ret, Quote3.PCK_CERT_CHAIN_ERROR);
      assert.equal(result.status, "STATUS_SGX_ROOT_CA_UNTRUSTED");
      assert.equal(result.platform, undefined);
    }
    const named = verifyQuote(quote, collateral, { ...options, trustedRoots: [other, INTEL_SGX_ROOT_KEY] });
    assert.equal(named.platform, "hardware");
  });

  it("refuses inputs over the limits, times before 1970 and NULs in texts with INVALID_PARAMETER", () => {
    const huge = new Uint8Array(BUDGETS.quoteBytes + 1);
    huge.set(quote);
    assert.equal(verifyQuote(huge, collateral, options).ret, Quote3.INVALID_PARAMETER);
    for (const now of [new Date(0), new Date(Number.NaN), new Date(-1)]) {
      assert.equal(verifyQuote(quote, collateral, { ...options, now }).ret, Quote3.INVALID_PARAMETER);
    }
    const withNul = { ...collateral, tcb_info: `${collateral.tcb_info}\0` };
    assert.equal(verifyQuote(quote, withNul, options).ret, Quote3.INVALID_PARAMETER);
  });

  it("knows four collateral versions", () => {
    const seven = (version: number): QveCollateral => ({
      version,
      pck_crl_issuer_chain: collateral.pck_crl_issuer_chain,
      root_ca_crl: collateral.root_ca_crl,
      pck_crl: collateral.pck_crl,
      tcb_info_issuer_chain: collateral.tcb_info_issuer_chain,
      tcb_info: `{"tcbInfo":${collateral.tcb_info},"signature":"${collateral.tcb_info_signature}"}`,
      qe_identity_issuer_chain: collateral.qe_identity_issuer_chain,
      qe_identity: `{"signature":"${collateral.qe_identity_signature}","enclaveIdentity":${collateral.qe_identity}}`,
    });
    for (const version of [1, 3, 0x00010003, 4]) assert.equal(verifyQuote(quote, seven(version), options).ret, 0);
    for (const version of [0, 2, 5, 0x00010004]) {
      assert.equal(verifyQuote(quote, seven(version), options).ret, Quote3.COLLATERAL_VERSION_NOT_SUPPORTED);
    }
  });

  it("checks JSON as written back, so that blanks do not matter and changed values do", () => {
    const spaced = { ...collateral, qe_identity: collateral.qe_identity.replaceAll(",", " ,\n ") };
    assert.equal(verifyQuote(quote, spaced, options).ret, 0);
    const changed = { ...collateral, qe_identity: collateral.qe_identity.replace('"isvprodid":2', '"isvprodid":3') };
    assert.equal(verifyQuote(quote, changed, options).ret, Quote3.QEIDENTITY_CHAIN_ERROR);
  });

  it("throws for wrong use alone", () => {
    const wrong = { ...collateral, tcb_info: undefined } as unknown as Collateral;
    assert.throws(
      () => verifyQuote(quote, wrong, options),
      (error) => error instanceof VerifyError && error.code === "COLLATERAL",
    );
    assert.throws(
      () => verifyQuote(quote, collateral, { ...options, trustedRoots: [new Uint8Array(64)] }),
      (error) => error instanceof VerifyError && error.code === "TRUSTED_ROOT",
    );
    for (const bytes of [new Uint8Array(0), new Uint8Array(1020), quote.subarray(0, 2000)]) {
      assert.notEqual(verifyQuote(bytes, collateral, options).ret, 0);
    }
  });

  it("leaves its inputs as they are, and its results survive a change of them", () => {
    const copy = Buffer.from(quote);
    const verifier = createVerifier({ crypto: nodeCrypto, cache: createVerificationCache() });
    assert.equal(verifier.verify(copy, collateral, terms).ret, 0);
    assert.deepEqual(copy, quote);
    copy.fill(0, 700);
    assert.notEqual(verifier.verify(copy, collateral, terms).ret, 0);
    assert.equal(verifier.verify(quote, collateral, terms).ret, 0);
  });
});

describe("a verifier that remembers", () => {
  it("looks at time and roots every time", () => {
    const verifier = createVerifier({ crypto: nodeCrypto, cache: createVerificationCache() });
    assert.equal(verifier.verify(quote, collateral, terms).collateralExpired, false);
    const later = { ...terms, now: new Date(terms.now.getTime() + 365 * 86_400_000) };
    assert.equal(verifier.verify(quote, collateral, later).collateralExpired, true);
    assert.equal(verifier.verify(quote, collateral, { ...terms, trustedRoots: [] }).ret, Quote3.PCK_CERT_CHAIN_ERROR);
    assert.equal(verifier.verify(quote, collateral, terms).ret, 0);
  });

  it("checks two signatures for a quote whose collateral it knows, and eleven at most for a new one", () => {
    let checks = 0;
    const crypto = {
      ...nodeCrypto,
      verifyP256(...args: Parameters<typeof nodeCrypto.verifyP256>) {
        checks++;
        return nodeCrypto.verifyP256(...args);
      },
    };
    const verifier = createVerifier({ crypto, cache: createVerificationCache() });
    verifier.verify(quote, collateral, terms);
    assert.ok(checks <= 11, `${checks} checks`);
    checks = 0;
    verifier.verify(quote, { ...collateral }, terms);
    assert.equal(checks, 2);
  });

  it("forgets the entry unused for longest", () => {
    const cache = createVerificationCache({ maxEntries: 2 });
    cache.set("a", 1);
    cache.set("b", 2);
    cache.get("a");
    cache.set("c", 3);
    assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c")], [1, undefined, 3]);
  });
});

describe("trusted roots", () => {
  it("come out of a certificate, PEM or DER", () => {
    const chain = collateral.tcb_info_issuer_chain;
    const rootPem = chain.slice(chain.lastIndexOf("-----BEGIN"));
    assert.deepEqual(trustedRootFromCertificate(rootPem), INTEL_SGX_ROOT_KEY);
    const der = decodePemCertificates(new TextEncoder().encode(rootPem))?.[0] as Uint8Array;
    assert.deepEqual(trustedRootFromCertificate(der), INTEL_SGX_ROOT_KEY);
  });

  it("do not come out of anything else", () => {
    for (const text of ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
      assert.throws(
        () => trustedRootFromCertificate(text),
        (error) => error instanceof VerifyError && error.code === "CERTIFICATE",
      );
    }
  });
});

describe("the software platform's marker", () => {
  it("is told by its identifier alone", () => {
    const certificate = (oid: Uint8Array) =>
      ({ extensions: [{ oid, critical: false, value: new Uint8Array(0) }] }) as unknown as Certificate;
    assert.equal(isSoftwarePlatform(certificate(oidFromText(SOFTWARE_PLATFORM_OID))), true);
    assert.equal(isSoftwarePlatform(certificate(oidFromText("1.2.840.113741.1.13.1"))), false);
  });
});
