import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { describe, it } from "node:test";
import type { Collateral } from "@confcom/sgx";
import { fromHex } from "@confcom/sgx";
import type { QveCollateral } from "../collateral/collateral.ts";
import {
  createVerificationCache,
  createVerifier,
  type SubtleCryptoLike,
  trustedRootFromCertificate,
  verifyQuote,
  verifyQuoteAsync,
  webCrypto,
} from "../index.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { readGzipLines, summary, type VerificationCase } from "./verification-cases.ts";

const cases = readGzipLines<VerificationCase>("verification/cases.jsonl.gz");

function terms(labelled: VerificationCase) {
  return {
    now: new Date(labelled.date * 1000),
    trustedRoots: [trustedRootFromCertificate(labelled.trustedRoot)],
  };
}

function label({ expected }: VerificationCase) {
  const { ret, result, collateralExpired, advisories, tcbLevelDateTag } = expected;
  return { ret, result, collateralExpired, advisories, tcbLevelDateTag };
}

function sevenFields(
  collateral: Collateral,
  crl: (hex: string) => string | Uint8Array,
  version: number,
): QveCollateral {
  return {
    version,
    pck_crl_issuer_chain: collateral.pck_crl_issuer_chain,
    root_ca_crl: crl(collateral.root_ca_crl),
    pck_crl: crl(collateral.pck_crl),
    tcb_info_issuer_chain: collateral.tcb_info_issuer_chain,
    tcb_info: `{"tcbInfo":${collateral.tcb_info},"signature":"${collateral.tcb_info_signature}"}`,
    qe_identity_issuer_chain: collateral.qe_identity_issuer_chain,
    qe_identity: `{"enclaveIdentity":${collateral.qe_identity},"signature":"${collateral.qe_identity_signature}"}`,
  };
}

function pem(hex: string): string {
  const base64 = Buffer.from(fromHex(hex)).toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
}

describe("the 183 labelled cases", () => {
  for (const labelled of cases) {
    it(labelled.name, () => {
      const quote = Buffer.from(labelled.quote, "base64");
      const result = verifyQuote(quote, labelled.collateral, { ...terms(labelled), crypto: nodeCrypto });
      assert.deepEqual(summary(result), label(labelled), result.reason);
    });
  }

  it("are all there", () => assert.equal(cases.length, 183));
});

describe("the labelled cases in other forms", () => {
  it("as Intel's seven fields with hexadecimal, DER and PEM CRLs, give the same verdicts", () => {
    const forms: [string, (hex: string) => string | Uint8Array, number][] = [
      ["hexadecimal", (hex) => hex, 3],
      ["DER", (hex) => fromHex(hex), 0x00010003],
      ["PEM", pem, 1],
      ["hexadecimal, version 4", (hex) => hex, 4],
    ];
    for (const labelled of cases) {
      for (const [form, crl, version] of forms) {
        const quote = Buffer.from(labelled.quote, "base64");
        const collateral = sevenFields(labelled.collateral, crl, version);
        const result = verifyQuote(quote, collateral, { ...terms(labelled), crypto: nodeCrypto });
        assert.deepEqual(summary(result), label(labelled), `${labelled.name} as ${form}: ${result.reason}`);
      }
    }
  });

  it("over WebCrypto, give the same results step by step", async () => {
    const crypto = webCrypto(webcrypto.subtle as unknown as SubtleCryptoLike);
    for (const labelled of cases) {
      const quote = Buffer.from(labelled.quote, "base64");
      const sync = verifyQuote(quote, labelled.collateral, { ...terms(labelled), crypto: nodeCrypto });
      const later = await verifyQuoteAsync(quote, labelled.collateral, { ...terms(labelled), crypto });
      assert.deepEqual(summary(later), summary(sync), labelled.name);
      assert.deepEqual(JSON.stringify(later.steps), JSON.stringify(sync.steps), labelled.name);
    }
  });

  it("through one verifier that remembers, twice and in both directions, give the same verdicts", () => {
    const verifier = createVerifier({ crypto: nodeCrypto, cache: createVerificationCache({ maxEntries: 64 }) });
    for (const labelled of [...cases, ...cases.toReversed()]) {
      const quote = Buffer.from(labelled.quote, "base64");
      const result = verifier.verify(quote, labelled.collateral, terms(labelled));
      assert.deepEqual(summary(result), label(labelled), `${labelled.name}: ${result.reason}`);
    }
  });
});
