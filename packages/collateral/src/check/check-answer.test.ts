import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { decodePckExtension, fromHex } from "@confcom/sgx";
import { INTEL_SGX_ROOT_KEY, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import { DocumentRefusal, type RefusalReason } from "@confcom/verify/documents";
import { pemText, quoteChain, realSubjects } from "@confcom/verify/testing";
import fc from "fast-check";
import type { CollateralAnswer } from "../answer.ts";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import {
  pckRequest,
  type SoftwarePki,
  softwarePki,
  TEST_FMSPC,
  TEST_TCB_LEVELS,
  type TestTcb,
  tcbHex,
  tcbmOf,
  withForgedSignature,
} from "../testing/index.ts";
import { type AnswerTerms, checkAnswer, checkPckCertificates, createAnswerChecker } from "./index.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function fails(code: CollateralErrorCode, work: () => unknown, reason?: RefusalReason): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof CollateralError, String(error));
    assert.equal(error.code, code, error.message);
    if (reason !== undefined) assert.equal(error.cause instanceof DocumentRefusal && error.cause.reason, reason);
    return true;
  });
}

/** Types tie an answer to its request; hostile sources do not. */
function check(request: CollateralRequest, answer: CollateralAnswer | undefined, terms: AnswerTerms) {
  assert.ok(answer);
  return checkAnswer(request, answer as never, terms);
}

function requests(pki: SoftwarePki): CollateralRequest[] {
  return [
    pckRequest(pki.addPlatform()),
    pckRequest(pki.addPlatform({ ca: "processor", pceId: "0100", fmspc: "00906ED50000" })),
    { kind: "pck-crl", ca: "processor" },
    { kind: "pck-crl", ca: "platform" },
    { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 },
    { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "early", version: 3 },
    { kind: "tcb-info", tee: "tdx", fmspc: TEST_FMSPC, update: "standard", version: 4 },
    { kind: "identity", id: "QE", update: "standard", version: 4 },
    { kind: "identity", id: "TD_QE", update: "early", version: 4 },
    { kind: "identity", id: "QVE", update: "standard", version: 3 },
    { kind: "root-ca-crl" },
    { kind: "crl", url: pki.rootCaCrlUrl },
    { kind: "crl", url: pki.pckCrlUrl("platform") },
    { kind: "crl", url: pki.pckCrlUrl("processor") },
  ];
}

function trusting(pki: SoftwarePki): AnswerTerms {
  const pckIssuerChains = [pki.pckIssuerChain("platform"), pki.pckIssuerChain("processor")];
  return { trustedRoots: [pki.trustedRoot], rootCaCrl: pki.crl("root"), pckIssuerChains };
}

const request = {
  tcb: { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 },
  qe: { kind: "identity", id: "QE", update: "standard", version: 4 },
  crl: { kind: "pck-crl", ca: "platform" },
} as const;

describe("an answer", () => {
  it("that is right is taken, and says what it is", () => {
    const pki = softwarePki();
    const checker = createAnswerChecker();
    for (const asked of requests(pki)) {
      const answer = pki.answer(asked);
      const facts = check(asked, answer, trusting(pki));
      for (let i = 0; i < 2; i++) assert.deepEqual(check(asked, answer, { ...trusting(pki), checker }), facts);
      if (asked.kind !== "pck-certificate") assert.equal(facts.issued, pki.clock.now());
      assert.ok(facts.nextUpdate > pki.clock.now());
      if ("fmspc" in asked) assert.equal(facts.fmspc, asked.fmspc);
      if ("id" in asked) assert.equal(facts.id, asked.id);
      if ("tee" in asked) assert.equal(facts.tee, asked.tee);
      if ("ca" in asked) assert.equal(facts.ca, asked.ca);
      if ("update" in asked) assert.equal(facts.tcbEvaluationDataNumber, pki.evaluation[asked.update]);
    }
  });

  it("of Intel's own collateral is taken under Intel's root alone", () => {
    const pki = softwarePki();
    const subjects = realSubjects();
    assert.ok(subjects.length >= 5);
    for (const { collateral: c, quote } of subjects) {
      const { id = "SGX", fmspc, version } = JSON.parse(c.tcb_info) as { id?: string; fmspc: string; version: number };
      const tee = id === "TDX" ? "tdx" : "sgx";
      const body = `{"tcbInfo":${c.tcb_info},"signature":"${c.tcb_info_signature}"}`;
      const identity = `{"enclaveIdentity":${c.qe_identity},"signature":"${c.qe_identity_signature}"}`;
      const [leaf, intermediate, root] = quoteChain(quote) as [Uint8Array, Uint8Array, Uint8Array];
      const { tcb } = decodePckExtension(sgxExtensionOf(parseCertificate(leaf)) as Uint8Array);
      const ca = new X509Certificate(intermediate).subject.includes("Platform") ? "platform" : "processor";
      const upper = fmspc.toUpperCase();
      const api = version === 3 ? 4 : 3;
      const raw = tcbHex(tcb);
      const all: [CollateralRequest, CollateralAnswer][] = [
        [
          { kind: "tcb-info", tee, fmspc: upper, update: "standard", version: api },
          { kind: "tcb-info", body, issuerChain: c.tcb_info_issuer_chain },
        ],
        [
          { kind: "identity", id: tee === "tdx" ? "TD_QE" : "QE", update: "standard", version: api },
          { kind: "identity", body: identity, issuerChain: c.qe_identity_issuer_chain },
        ],
        [
          { kind: "pck-crl", ca },
          { kind: "pck-crl", crl: fromHex(c.pck_crl), issuerChain: c.pck_crl_issuer_chain },
        ],
        [
          { kind: "pck-certificate", qeId: "", pceId: "0000", ...raw },
          {
            kind: "pck-certificate",
            certificate: pemText(leaf),
            issuerChain: pemText(intermediate, root),
            tcbm: raw.cpuSvn + raw.pceSvn,
            fmspc: upper,
            ca,
          },
        ],
      ];
      for (const [asked, answer] of all) {
        const rootCaCrl = fromHex(c.root_ca_crl);
        assert.ok(check(asked, answer, { trustedRoots: [INTEL_SGX_ROOT_KEY], rootCaCrl }).issued > 0);
        fails("ANSWER_UNTRUSTED", () => check(asked, answer, { trustedRoots: [pki.trustedRoot] }));
      }
    }
  });

  it("with a wrong signature, or under another root, is untrusted", () => {
    const pki = softwarePki();
    const other = softwarePki({ name: "other" });
    for (const asked of requests(pki)) {
      const answer = pki.answer(asked);
      assert.ok(answer);
      fails("ANSWER_UNTRUSTED", () => check(asked, withForgedSignature(answer), trusting(pki)));
      const { rootCaCrl: _, ...others } = trusting(pki);
      fails("ANSWER_UNTRUSTED", () => check(asked, answer, { ...others, trustedRoots: [other.trustedRoot] }));
    }
  });

  it("past its end is taken, and its end says so", () => {
    const pki = softwarePki();
    const issued = pki.clock.now() - 400 * DAY_MS;
    for (const asked of requests(pki)) {
      const facts = check(asked, pki.answer(asked, { issued, nextUpdate: issued + DAY_MS }), trusting(pki));
      assert.deepEqual([facts.issued, facts.nextUpdate], [issued, issued + DAY_MS]);
    }
  });

  it("to another request is untrusted", () => {
    const pki = softwarePki();
    const all = requests(pki);
    for (const [i, asked] of all.entries()) {
      for (const [j, other] of all.entries()) {
        const answer = pki.answer(other);
        if (i === j || asked.kind !== other.kind) continue;
        fails("ANSWER_UNTRUSTED", () => check(asked, answer, trusting(pki)));
      }
    }
  });

  it("of another kind, or unreadable, is no answer", () => {
    const pki = softwarePki();
    const all = requests(pki);
    for (const asked of all) {
      for (const other of all) {
        if (asked.kind !== other.kind) fails("SOURCE_ANSWER", () => check(asked, pki.answer(other), trusting(pki)));
      }
    }
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (text, crl) => {
        const issuerChain = pki.tcbIssuerChain;
        fails("SOURCE_ANSWER", () => check(request.tcb, { kind: "tcb-info", body: text, issuerChain }, trusting(pki)));
        fails("SOURCE_ANSWER", () => check(request.qe, { ...pki.identity(), issuerChain: text }, trusting(pki)));
        fails("SOURCE_ANSWER", () => check(request.crl, { ...pki.pckCrl("platform"), crl }, trusting(pki)));
        fails("SOURCE_ANSWER", () => check({ kind: "root-ca-crl" }, { kind: "root-ca-crl", crl }, trusting(pki)));
      }),
    );
  });

  it("with a PCK certificate is for the TCBm, FMSPC and CA it says, and not above the platform", () => {
    const pki = softwarePki();
    const platform = pki.addPlatform();
    const asked = pckRequest(platform);
    const answer = pki.answer(asked);
    assert.ok(answer);
    const wrong = (code: CollateralErrorCode, change: object) =>
      fails(code, () => check(asked, { ...answer, ...change }, trusting(pki)));
    wrong("ANSWER_UNTRUSTED", { tcbm: tcbmOf(TEST_TCB_LEVELS[1] as TestTcb) });
    wrong("SOURCE_ANSWER", { tcbm: "00" });
    wrong("ANSWER_UNTRUSTED", { fmspc: "00906ED50000" });
    wrong("ANSWER_UNTRUSTED", { ca: "processor" });
    wrong("ANSWER_UNTRUSTED", { issuerChain: pki.pckIssuerChain("processor") });
    wrong("SOURCE_ANSWER", { certificate: answer.certificate + pki.pckIssuerChain("platform") });
    assert.ok(check(asked, { ...answer, tcbm: answer.tcbm.toLowerCase() }, trusting(pki)));
    fails("ANSWER_UNTRUSTED", () => check(pckRequest(platform, TEST_TCB_LEVELS[1]), answer, trusting(pki)));
    fails("ANSWER_UNTRUSTED", () => check({ ...asked, pceId: "0100" }, answer, trusting(pki)));
  });

  it("of an issuer that the root revoked is untrusted", () => {
    for (const [issuer, hit] of [
      ["platform CA", ["pck-certificate", "pck-crl", "crl"]],
      ["TCB signing", ["tcb-info", "identity"]],
    ] as const) {
      const pki = softwarePki();
      const all = requests(pki);
      pki.revoke(
        (issuer === "TCB signing" ? pki.tcbIssuerChain : pki.pckIssuerChain("platform")).split("\n-----BEGIN")[0] ?? "",
        "root",
      );
      for (const asked of all) {
        const byOther =
          ("ca" in asked && asked.ca === "processor") ||
          (asked.kind === "pck-certificate" && asked.pceId === "0100") ||
          (asked.kind === "crl" && asked.url !== pki.pckCrlUrl("platform"));
        const work = () => check(asked, pki.answer(asked), trusting(pki));
        if ((hit as readonly string[]).includes(asked.kind) && !byOther) fails("ANSWER_UNTRUSTED", work, "revoked");
        else assert.ok(work());
      }
    }
  });

  it("is not taken with a root CA CRL that is another's or damaged", () => {
    const pki = softwarePki();
    const answer = pki.tcbInfo();
    const other = softwarePki({ name: "other" }).crl("root");
    const trustedRoots = [pki.trustedRoot];
    fails("ANSWER_UNTRUSTED", () => check(request.tcb, answer, { trustedRoots, rootCaCrl: other }));
    fails("SOURCE_ANSWER", () => check(request.tcb, answer, { trustedRoots, rootCaCrl: other.subarray(1) }));
  });
});

describe("the PCK certificates of a platform", () => {
  const lowest = { components: new Uint8Array(16), pceSvn: 1 };

  it("are taken together, and those not available left out", () => {
    const pki = softwarePki();
    const { certificates, ppid } = pki.addPlatform({ notAvailable: [lowest], pceId: "0100" });
    const facts = checkPckCertificates(certificates, "0100", trusting(pki));
    assert.deepEqual([facts.fmspc, facts.ca, facts.ppid], [TEST_FMSPC, "platform", ppid]);
    assert.ok(facts.nextUpdate > pki.clock.now() && facts.nextUpdate < Number.POSITIVE_INFINITY);
    fails("ANSWER_UNTRUSTED", () => checkPckCertificates(certificates, "0001", trusting(pki)));
  });

  it("may all be missing", () => {
    const pki = softwarePki();
    const { certificates } = pki.addPlatform({ tcbs: [], notAvailable: [lowest] });
    assert.equal(checkPckCertificates(certificates, "0000", trusting(pki)).ppid, undefined);
  });

  it("are refused together when one is forged, another's, or for another TCB", () => {
    const pki = softwarePki();
    const { certificates } = pki.addPlatform();
    const [one, two, three] = certificates.certificates as [
      { tcbm: string; certificate: string },
      { tcbm: string; certificate: string },
      { tcbm: string; certificate: string },
    ];
    const foreign = pki.addPlatform().certificates.certificates[2];
    const forged = withForgedSignature({ ...certificates, ...three, kind: "pck-certificate" });
    for (const bad of [
      foreign,
      { tcbm: three.tcbm, certificate: forged.kind === "pck-certificate" ? forged.certificate : "" },
      { tcbm: three.tcbm, certificate: two.certificate },
    ]) {
      const set = { ...certificates, certificates: [one, two, bad as typeof one] };
      fails("ANSWER_UNTRUSTED", () => checkPckCertificates(set, "0000", trusting(pki)));
    }
    fails("ANSWER_UNTRUSTED", () =>
      checkPckCertificates({ ...certificates, fmspc: "0".repeat(12) }, "0000", trusting(pki)),
    );
    fails("ANSWER_UNTRUSTED", () => checkPckCertificates({ ...certificates, ca: "processor" }, "0000", trusting(pki)));
    fails("SOURCE_ANSWER", () => checkPckCertificates({ ...certificates, fmspc: "x" }, "0000", trusting(pki)));
    const many = Array.from({ length: 1025 }, () => ({ tcbm: one.tcbm, certificate: undefined }));
    fails("SOURCE_ANSWER", () => checkPckCertificates({ ...certificates, certificates: many }, "0000", trusting(pki)));
  });
});
