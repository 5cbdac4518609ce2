import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex, toHex } from "@confcom/sgx";
import fc from "fast-check";
import { createVerificationCache, type SubtleCryptoLike, webCrypto } from "../index.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { pemText, quoteChain, realSubjects, type Subject, sign, unsign } from "../testing/index.ts";
import { INTEL_SGX_ROOT_KEY } from "../trusted-root.ts";
import {
  type CollateralDocument,
  checkDocument,
  checkDocumentAsync,
  createDocumentChecker,
  DocumentRefusal,
  type RefusalReason,
} from "./index.ts";

const subjects = realSubjects();

function pckChain(subject: Subject): CollateralDocument & { kind: "pck-chain" } {
  const [leaf, intermediate, root] = quoteChain(subject.quote) as [Uint8Array, Uint8Array, Uint8Array];
  return { kind: "pck-chain", certificate: pemText(leaf), issuerChain: pemText(intermediate, root) };
}

function tcbInfo({ collateral: c }: Subject): CollateralDocument & { kind: "tcb-info" } {
  const body = `{"tcbInfo":${c.tcb_info},"signature":"${c.tcb_info_signature}"}`;
  return { kind: "tcb-info", body, issuerChain: c.tcb_info_issuer_chain };
}

function identity({ collateral: c }: Subject): CollateralDocument & { kind: "identity" } {
  const body = `{"enclaveIdentity":${c.qe_identity},"signature":"${c.qe_identity_signature}"}`;
  return { kind: "identity", body, issuerChain: c.qe_identity_issuer_chain };
}

function pckCrl({ collateral: c }: Subject): CollateralDocument & { kind: "pck-crl" } {
  return { kind: "pck-crl", crl: fromHex(c.pck_crl), issuerChain: c.pck_crl_issuer_chain };
}

function documents(subject: Subject): CollateralDocument[] {
  const rootCaCrl = fromHex(subject.collateral.root_ca_crl);
  const crl = pckCrl(subject);
  return [
    pckChain(subject),
    tcbInfo(subject),
    identity(subject),
    crl,
    { kind: "root-ca-crl", crl: rootCaCrl },
    { kind: "crl", crl: rootCaCrl },
    { kind: "crl", crl: crl.crl, issuerChains: [crl.issuerChain] },
  ];
}

function terms(subject: Subject) {
  const rootCaCrl = fromHex(subject.collateral.root_ca_crl);
  return { trustedRoots: [subject.trustedRoot], now: subject.now, rootCaCrl, crypto: nodeCrypto };
}

function refused(reason: RefusalReason, check: () => unknown): void {
  assert.throws(check, (error) => {
    assert.ok(error instanceof DocumentRefusal, String(error));
    assert.equal(error.reason, reason, error.message);
    return true;
  });
}

const first = subjects[0] as Subject;

describe("a single document of the collateral", () => {
  it("of a real platform is in order at its time, with any crypto and with a memory", async () => {
    const checker = createDocumentChecker({ crypto: nodeCrypto, cache: createVerificationCache() });
    assert.ok(subjects.length >= 5);
    for (const subject of subjects) {
      for (const document of documents(subject)) {
        const facts = checkDocument(document, terms(subject));
        assert.equal(facts.kind, document.kind);
        assert.ok(facts.nextUpdate >= subject.now.getTime());
        for (let i = 0; i < 2; i++) assert.deepEqual(checker.check(document, terms(subject)), facts);
        const { crypto: _, ...others } = terms(subject);
        assert.deepEqual(
          await checkDocumentAsync(document, {
            ...others,
            crypto: webCrypto(crypto.subtle as unknown as SubtleCryptoLike),
          }),
          facts,
        );
      }
    }
  });

  it("says what its signed bytes say", () => {
    for (const subject of subjects) {
      const info = checkDocument(tcbInfo(subject), terms(subject));
      const inner = JSON.parse(subject.collateral.tcb_info) as Record<string, unknown>;
      assert.equal(toHex(info.fmspc), String(inner.fmspc).toLowerCase());
      assert.equal(info.tee, String(inner.id ?? "SGX").toLowerCase());
      assert.equal(info.version, inner.version);
      assert.equal(info.issued, Date.parse(String(inner.issueDate)));
      assert.equal(info.tcbEvaluationDataNumber, inner.tcbEvaluationDataNumber);
      const pck = checkDocument(pckChain(subject), terms(subject));
      assert.deepEqual(pck.fmspc, info.fmspc);
      assert.equal(pck.ca, checkDocument(pckCrl(subject), terms(subject)).issuer);
      const qe = checkDocument(identity(subject), terms(subject));
      assert.equal(qe.id, info.tee === "tdx" ? "TD_QE" : "QE");
    }
  });

  it("under a root that is not trusted is untrusted", () => {
    const other = unsign(first);
    const { trustedRoot } = sign(other);
    for (const document of documents(first)) {
      const { rootCaCrl: _, ...others } = terms(first);
      refused("untrusted", () => checkDocument(document, { ...others, trustedRoots: [trustedRoot] }));
      refused("untrusted", () => checkDocument(document, { ...others, trustedRoots: [] }));
      assert.ok(checkDocument(document, { ...others, trustedRoots: [trustedRoot, INTEL_SGX_ROOT_KEY] }));
    }
  });

  it("past its end, or a CRL before its beginning, is expired; without a time its dates are facts", () => {
    for (const document of documents(first)) {
      const { now: _, ...timeless } = terms(first);
      const { issued, nextUpdate } = checkDocument(document, timeless);
      assert.ok(checkDocument(document, { ...timeless, now: new Date(nextUpdate) }));
      refused("expired", () => checkDocument(document, { ...timeless, now: new Date(nextUpdate + 1000) }));
      const before = () => checkDocument(document, { ...timeless, now: new Date(issued - 1000) });
      if ("crl" in document) refused("expired", before);
      else assert.ok(before());
    }
  });

  it("is refused when any byte of what is signed, or of its signature, is another", () => {
    const all = documents(first);
    const changed = (text: string, at: number) => {
      const digit = text[at] as string;
      return text.slice(0, at) + (digit === "1" ? "2" : "1") + text.slice(at + 1);
    };
    fc.assert(
      fc.property(
        fc.nat(all.length - 1),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (which, part) => {
          const document = all[which] as CollateralDocument;
          const text = "body" in document ? document.body : "crl" in document ? undefined : document.certificate;
          if (text !== undefined) {
            const at = Math.floor(part * text.trimEnd().length);
            const bad = changed(text, at);
            const name = "body" in document ? "body" : "certificate";
            // The case of a hexadecimal digit of the signature means nothing.
            assert.throws(
              () => checkDocument({ ...document, [name]: bad } as CollateralDocument, terms(first)),
              DocumentRefusal,
            );
          } else if ("crl" in document && typeof document.crl !== "string") {
            const crl = document.crl.slice();
            const at = Math.floor(part * crl.length);
            crl[at] = (crl[at] as number) ^ 1;
            assert.throws(() => checkDocument({ ...document, crl }, terms(first)), DocumentRefusal);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("holds nothing that its signature does not cover", () => {
    const { body, ...rest } = tcbInfo(first);
    const inner = first.collateral.tcb_info;
    const signature = first.collateral.tcb_info_signature;
    const check = (text: string) => checkDocument({ ...rest, body: text }, terms(first));
    assert.ok(check(` {\n"tcbInfo" : ${inner} ,\n "signature": "${signature.toUpperCase()}" }\n`));
    refused("malformed", () => check(`${body.slice(0, -1)},"more":1}`));
    refused("malformed", () => check(`{"more":1,${body.slice(1)}`));
    refused("untrusted", () => check(`{"tcbInfo":${inner},"tcbInfo":{},"signature":"${signature}"}`));
    refused("malformed", () => check(`{"signature":"${signature}","tcbInfo":${inner}}`));
    refused("untrusted", () => check(body.replace('"version":', '"version": ')));
    const chain = pckChain(first);
    for (const [name, text] of Object.entries({ certificate: chain.certificate, issuerChain: chain.issuerChain })) {
      refused("malformed", () => checkDocument({ ...chain, [name]: `${text}more` }, terms(first)));
      refused("malformed", () => checkDocument({ ...chain, [name]: `more\n${text}` }, terms(first)));
    }
    for (const document of documents(first)) {
      if (!("crl" in document) || typeof document.crl === "string") continue;
      const crl = Uint8Array.from([...document.crl, 0]);
      refused("malformed", () => checkDocument({ ...document, crl }, terms(first)));
      const hex = new TextEncoder().encode(toHex(document.crl));
      refused("malformed", () => checkDocument({ ...document, crl: hex }, terms(first)));
      assert.ok(checkDocument({ ...document, crl: toHex(document.crl) }, terms(first)));
    }
  });

  it("is refused under a chain that is another's", () => {
    const info = tcbInfo(first);
    const crl = pckCrl(first);
    const chain = pckChain(first);
    refused("malformed", () => checkDocument({ ...info, issuerChain: crl.issuerChain }, terms(first)));
    refused("malformed", () => checkDocument({ ...crl, issuerChain: info.issuerChain }, terms(first)));
    refused("malformed", () => checkDocument({ ...chain, issuerChain: info.issuerChain }, terms(first)));
    refused("malformed", () => checkDocument({ ...chain, issuerChain: chain.certificate }, terms(first)));
    refused("malformed", () => checkDocument({ ...chain, certificate: chain.issuerChain }, terms(first)));
    refused("malformed", () => checkDocument({ ...chain, certificate: "" }, terms(first)));
    refused("untrusted", () => checkDocument({ kind: "crl", crl: crl.crl }, terms(first)));
    refused("untrusted", () => checkDocument({ kind: "root-ca-crl", crl: crl.crl }, terms(first)));
  });

  it("of text is refused whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (text, crl) => {
        const { rootCaCrl: _, ...others } = terms(first);
        for (const document of [
          { ...tcbInfo(first), body: text },
          { ...identity(first), issuerChain: text },
          { ...pckChain(first), certificate: text },
          { ...pckCrl(first), crl },
        ]) {
          refused("malformed", () => checkDocument(document, others));
        }
      }),
    );
  });
});
