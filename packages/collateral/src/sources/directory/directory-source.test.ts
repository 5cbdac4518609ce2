import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Collateral, toHex } from "@confcom/sgx";
import { CollateralError, type CollateralErrorCode } from "../../errors.ts";
import type { CollateralRequest, IdentityRequest, PckCrlRequest, TcbInfoRequest } from "../../request.ts";
import type { CollateralSource } from "../../source.ts";
import { pckRequest, SoftwarePki, TEST_FMSPC } from "../../testing/software-pki.ts";
import { directoryFiles } from "./directory-files.ts";
import { directorySource } from "./directory-source.ts";

const pki = new SoftwarePki();
const platform = pki.addPlatform({ name: "one", ca: "platform" });
const options = { signal: new AbortController().signal };
const ROOT_CRL = { kind: "root-ca-crl" } as const;
const TCB: TcbInfoRequest = { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 };
const QE: IdentityRequest = { kind: "identity", id: "QE", update: "standard", version: 4 };
const CRL: PckCrlRequest = { kind: "pck-crl", ca: "platform" };

function directory(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "collateral-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) put(path, name, content);
  return path;
}

function put(path: string, name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(path, name)), { recursive: true });
  writeFileSync(join(path, name), content);
}

function sourceOf(path: string): CollateralSource {
  return directorySource({ files: directoryFiles(path) });
}

async function answers(source: CollateralSource, requests: readonly CollateralRequest[]): Promise<void> {
  for (const request of requests) {
    const { answer, maxAgeMs } = await source.fetch(request, options);
    assert.deepEqual(answer, pki.answer(request), JSON.stringify(request));
    assert.equal(maxAgeMs, undefined);
  }
}

async function fails(work: Promise<unknown>, code: CollateralErrorCode, message: RegExp = /./): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof CollateralError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

function issued<R extends CollateralRequest>(request: R) {
  const answer = pki.answer(request);
  assert.ok(answer !== undefined);
  return answer;
}

/** The inner object and signature of a document, as nine fields have them. */
function parts(body: string): readonly [string, string] {
  const found = /^\{"[A-Za-z]+":(.*),"signature":"([0-9a-f]+)"\}$/.exec(body);
  assert.ok(found !== null);
  return [found[1] ?? "", found[2] ?? ""];
}

function nineFields(): Collateral {
  const tcb = issued(TCB);
  const qe = issued(QE);
  const crl = issued(CRL);
  const [tcbInfo, tcbSignature] = parts(tcb.body);
  const [identity, identitySignature] = parts(qe.body);
  return {
    pck_crl_issuer_chain: crl.issuerChain,
    root_ca_crl: toHex(issued(ROOT_CRL).crl),
    pck_crl: toHex(crl.crl),
    tcb_info_issuer_chain: tcb.issuerChain,
    tcb_info: tcbInfo,
    tcb_info_signature: tcbSignature,
    qe_identity_issuer_chain: qe.issuerChain,
    qe_identity: identity,
    qe_identity_signature: identitySignature,
  };
}

function platformCollateral(): string {
  const { qeId, pceId, encryptedPpid, platformManifest, certificates } = platform;
  const request = pckRequest(platform);
  const tcb = issued(TCB);
  const qe = issued(QE);
  const root = issued(ROOT_CRL);
  const certs = certificates.certificates.map(({ tcbm, certificate = "" }) => ({
    tcb: {},
    tcbm,
    cert: encodeURIComponent(certificate),
  }));
  const who = { qe_id: qeId, pce_id: pceId, enc_ppid: encryptedPpid, platform_manifest: platformManifest };
  return JSON.stringify({
    platforms: [{ ...who, cpu_svn: request.cpuSvn, pce_svn: request.pceSvn }],
    collaterals: {
      version: 4,
      pck_certs: [{ ...who, certs }],
      tcbinfos: [{ fmspc: TEST_FMSPC, sgx_tcbinfo: JSON.parse(tcb.body) as unknown }],
      pckcacrl: { platformCrl: toHex(issued(CRL).crl) },
      qeidentity: qe.body,
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": { PLATFORM: encodeURIComponent(certificates.issuerChain) },
        "TCB-Info-Issuer-Chain": encodeURIComponent(tcb.issuerChain),
        "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(qe.issuerChain),
      },
      rootcacrl_cdp: pki.rootCaCrlUrl,
      rootcacrl: toHex(root.crl),
    },
  });
}

test("a tree like the PCCS's URLs answers everything, byte for byte", async (t) => {
  const requests: readonly CollateralRequest[] = [
    pckRequest(platform),
    CRL,
    { kind: "pck-crl", ca: "processor" },
    TCB,
    { ...TCB, update: "early" },
    { ...TCB, tee: "tdx" },
    { ...TCB, version: 3 },
    QE,
    { ...QE, id: "TD_QE" },
    { ...QE, id: "QVE", update: "early" },
    ROOT_CRL,
  ];
  const { qeId, pceId, cpuSvn, pceSvn } = pckRequest(platform);
  const stems = [
    `sgx/certification/v4/pckcert/${qeId}/${pceId}/${cpuSvn}${pceSvn}`,
    "sgx/certification/v4/pckcrl/platform",
    "sgx/certification/v4/pckcrl/processor",
    `sgx/certification/v4/tcb/${TEST_FMSPC}`,
    `sgx/certification/v4/tcb/${TEST_FMSPC}.early`,
    `tdx/certification/v4/tcb/${TEST_FMSPC}`,
    `sgx/certification/v3/tcb/${TEST_FMSPC}`,
    "sgx/certification/v4/qe/identity",
    "tdx/certification/v4/qe/identity",
    "sgx/certification/v4/qve/identity.early",
    "sgx/certification/v4/rootcacrl",
  ];
  const path = directory(t);
  for (const [i, request] of requests.entries()) {
    const answer = issued(request);
    const stem = stems[i] ?? "";
    if ("certificate" in answer) put(path, `${stem}.pem`, answer.certificate);
    else if ("body" in answer) put(path, `${stem}.json`, answer.body);
    else put(path, `${stem}.der`, answer.crl);
    if ("issuerChain" in answer) put(path, `${stem}.issuer-chain.pem`, answer.issuerChain);
  }
  const source = sourceOf(path);
  assert.equal(source.name, `directory ${path}`);
  await answers(source, requests);
  await fails(source.fetch({ ...TCB, fmspc: "00906ED50000" }, options), "NOT_FOUND", /no file for tcb-info/);
  rmSync(join(path, `${stems[3]}.issuer-chain.pem`));
  await fails(source.fetch(TCB, options), "SOURCE_ANSWER", /issuer-chain\.pem is missing/);
});

test("what collateral export writes is read, and given only for what it is", async (t) => {
  const tcb = issued(TCB);
  const qe = issued(QE);
  const crl = issued(CRL);
  const source = sourceOf(
    directory(t, {
      "tcb-info.json": tcb.body,
      "tcb-info-issuer-chain.pem": tcb.issuerChain,
      "qe-identity.json": qe.body,
      "qe-identity-issuer-chain.pem": qe.issuerChain,
      "pck-crl-platform.der": crl.crl,
      "pck-crl-platform-issuer-chain.pem": crl.issuerChain,
      "root-ca-crl.der": issued(ROOT_CRL).crl,
    }),
  );
  await answers(source, [TCB, QE, CRL, ROOT_CRL]);
  const others: readonly CollateralRequest[] = [
    { ...TCB, fmspc: "00906ED50000" },
    { ...TCB, tee: "tdx" },
    { ...TCB, version: 3 },
    { ...TCB, update: "early" },
    { ...QE, id: "QVE" },
    { kind: "pck-crl", ca: "processor" },
    { kind: "crl", url: pki.rootCaCrlUrl },
    pckRequest(platform),
  ];
  for (const request of others) await fails(source.fetch(request, options), "NOT_FOUND");
});

test("nine fields in one file, in a directory or alone, answer for the CA and the documents they are of", async (t) => {
  const path = directory(t, { "collateral.json": JSON.stringify(nineFields()) });
  for (const source of [sourceOf(path), sourceOf(join(path, "collateral.json"))]) {
    await answers(source, [TCB, QE, CRL, ROOT_CRL]);
    await fails(source.fetch({ kind: "pck-crl", ca: "processor" }, options), "NOT_FOUND");
    await fails(source.fetch({ ...QE, id: "TD_QE" }, options), "NOT_FOUND");
  }
});

test("Intel's platformcollateral answers for its platforms; a raw TCB of no certificate goes through the selection", async (t) => {
  const path = directory(t, { "platformcollateral.json": platformCollateral() });
  const source = sourceOf(path);
  await answers(source, [pckRequest(platform), TCB, QE, CRL, ROOT_CRL, { kind: "crl", url: pki.rootCaCrlUrl }]);
  const raw = { ...pckRequest(platform), cpuSvn: "FF".repeat(16) };
  const best = await source.fetch(raw, options);
  assert.deepEqual(best.answer, pki.answer(pckRequest(platform)));
  await fails(source.fetch({ ...raw, cpuSvn: "00".repeat(16), pceSvn: "0000" }, options), "NOT_FOUND");
  await fails(source.fetch({ ...raw, qeId: "FF".repeat(16) }, options), "NOT_FOUND");
  const asked: unknown[] = [];
  const selecting = directorySource({
    files: directoryFiles(path),
    select: (certificates, tcbInfo, rawTcb) => {
      asked.push(tcbInfo, rawTcb);
      return certificates.at(-1)?.tcbm;
    },
  });
  const { answer } = await selecting.fetch(raw, options);
  assert.equal(answer.tcbm, platform.certificates.certificates.at(-1)?.tcbm);
  const { qeId, pceId, cpuSvn, pceSvn } = raw;
  assert.deepEqual(asked, [issued(TCB).body, { qeId, pceId, cpuSvn, pceSvn }]);
});

test("a file that is replaced is read anew, and one that goes is gone", async (t) => {
  const path = directory(t);
  const source = sourceOf(path);
  await fails(source.fetch(TCB, options), "NOT_FOUND");
  put(path, "new.json", JSON.stringify(nineFields()));
  renameSync(join(path, "new.json"), join(path, "collateral.json"));
  await answers(source, [TCB, TCB]);
  put(path, "other.json", `${JSON.stringify({ ...nineFields(), tcb_info_issuer_chain: "" })} `);
  renameSync(join(path, "other.json"), join(path, "collateral.json"));
  await fails(source.fetch(TCB, options), "SOURCE_ANSWER", /tcb_info_issuer_chain is missing/);
  rmSync(join(path, "collateral.json"));
  await fails(source.fetch(TCB, options), "NOT_FOUND");
  rmSync(path, { recursive: true });
  await fails(source.fetch(TCB, options), "SOURCE_UNREACHABLE", /ENOENT/);
});

test("links lead nowhere but inside; what is too large, no file, or no document is refused by its name", async (t) => {
  const outside = directory(t, { "secret.json": JSON.stringify(nineFields()) });
  const path = directory(t, { "data/collateral.json": JSON.stringify(nineFields()) });
  symlinkSync(join("data", "collateral.json"), join(path, "collateral.json"));
  await answers(sourceOf(path), [TCB]);
  symlinkSync(join(outside, "secret.json"), join(path, "root-ca-crl.der"));
  await fails(sourceOf(path).fetch(ROOT_CRL, options), "SOURCE_ANSWER", /root-ca-crl\.der leads out/);
  mkdirSync(join(path, "pck-crl-platform.der"));
  await fails(sourceOf(path).fetch(CRL, options), "SOURCE_ANSWER", /is not a file/);
  put(path, "tcb-info.json", new Uint8Array(4 * 1024 * 1024 + 1));
  await fails(sourceOf(path).fetch(TCB, options), "SOURCE_ANSWER", /more than 4194304 bytes/);
  for (const content of ["", "[]", "null", "{}", '{"collaterals":{}}', "\u0000", "{"]) {
    const broken = directory(t, { "collateral.json": content });
    await fails(sourceOf(broken).fetch(TCB, options), "SOURCE_ANSWER", /collateral\.json/);
  }
});
