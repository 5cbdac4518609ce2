import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { decodeQuote, ECDSA_P256_KEY_ID } from "@confcom/sgx";
import { trustedRootFromCertificate, type VerificationResult, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { CPU_SVN_NAMES, type CpuSvnName } from "../cpu/cpu-svn.ts";
import { createSoftwareEnclave } from "../cpu/software-enclave.ts";
import type { AuthorityBinding } from "../provisioning-authority.ts";
import { QE_IDENTITY } from "../qe/qe-identity.ts";
import { openSoftwarePlatform } from "../software-platform.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import type { SoftwareProvisioningAuthority } from "./software-authority.ts";
import { DAY_MS, pemCertificates, TemporaryState } from "./testing/temporary-authority.ts";

interface Scene {
  readonly state: TemporaryState;
  readonly authority: SoftwareProvisioningAuthority;
  /** The same authority after a restart. */
  reopen(): Promise<SoftwareProvisioningAuthority>;
  readonly quote: Uint8Array;
  /** PEM: leaf, Platform CA, root. */
  readonly chain: readonly string[];
  verdict(now?: Date, trustedRoot?: string): Promise<VerificationResult>;
}

/** A quote by a whole software platform, and the authority that certified it. */
async function quoted(t: TestContext, cpuSvn: CpuSvnName = "default"): Promise<Scene> {
  const state = new TemporaryState(t);
  let bound: AuthorityBinding | undefined;
  const reopen = () => {
    if (bound === undefined) throw new Error("the platform opened no authority");
    return openProvisioningAuthority(state.options({ qe: QE_IDENTITY, binding: bound }));
  };
  const openAuthority = (binding: AuthorityBinding) => {
    bound = binding;
    return reopen();
  };
  const platform = await openSoftwarePlatform({ ...state.options(), cpuSvn, openAuthority });
  const authority = await reopen();
  const { targetInfo } = await platform.initQuote(ECDSA_P256_KEY_ID);
  const report = createSoftwareEnclave({ cpuSvn }).report(targetInfo, new Uint8Array(64));
  const { quote } = await platform.getQuote(ECDSA_P256_KEY_ID, report);
  await platform.close();
  const { certificationData } = decodeQuote(quote).signatureData;
  return {
    state,
    authority,
    reopen,
    quote,
    chain: pemCertificates(Buffer.from(certificationData).toString("latin1")),
    verdict: async (now = state.now, trustedRoot = authority.rootCertificatePem) =>
      verifyQuote(quote, await authority.collateral(), {
        now,
        trustedRoots: [trustedRootFromCertificate(trustedRoot)],
        crypto: nodeCrypto,
      }),
  };
}

/** The DER signature is the certificate's last element: SEQUENCE of two INTEGERs inside a BIT STRING. */
function signatureSize(pem: string): number {
  const { raw } = new X509Certificate(pem);
  for (const size of [72, 71, 70, 69, 68])
    if (raw[raw.length - size] === 0x30 && raw[raw.length - size + 1] === size - 2) return size;
  return 64;
}

const serialOf = (pem: string | undefined) => new X509Certificate(pem ?? "").serialNumber;

test("a quote at each CPUSVN gets its TCB level's verdict", async (t) => {
  for (const name of CPU_SVN_NAMES) {
    const { verdict } = await quoted(t, name);
    const { retName, result, advisories, platform, collateralExpired } = await verdict();
    const expected = name === "downgraded" ? ["OUT_OF_DATE", ["CONFCOM-SA-00001"]] : ["OK", []];
    assert.deepEqual([retName, result, advisories], ["SUCCESS", ...expected], name);
    assert.equal(platform, "software", "the marker is recognised");
    assert.equal(collateralExpired, false);
  }
});

test("a quote fits the 4734 bytes that recorded clients have for it, whatever its signatures' lengths", async (t) => {
  for (const name of CPU_SVN_NAMES) {
    const { quote, chain } = await quoted(t, name);
    // An ECDSA signature in DER is at most 72 bytes; one that came out shorter leaves room another time would take.
    const shorter = chain.reduce((sum, pem) => sum + 8 * (72 - signatureSize(pem)), 0);
    assert.ok(quote.length + Math.ceil(shorter / 6) <= 4734, `${name}: ${quote.length} bytes`);
  }
});

test("a quote of a revoked PCK certificate is PCK_REVOKED, before and after a restart", async (t) => {
  const { authority, reopen, chain, verdict } = await quoted(t);
  await authority.revoke(serialOf(chain[0]));
  assert.equal((await verdict()).retName, "PCK_REVOKED");
  const reopened = await reopen();
  assert.deepEqual(await reopened.collateral(), await authority.collateral());
});

test("revoking the Platform CA or the TCB signer on the root's CRL fails the verification too", async (t) => {
  const first = await quoted(t);
  await first.authority.revoke(serialOf(first.chain[1]), "cACompromise", "root");
  assert.equal((await first.verdict()).retName, "PCK_REVOKED");
  const second = await quoted(t);
  const signer = serialOf((await second.authority.collateral()).tcb_info_issuer_chain);
  await second.authority.revoke(signer, "keyCompromise", "root");
  assert.notEqual((await second.verdict()).ret, 0);
});

test("revoking another certificate changes no verdict", async (t) => {
  const { authority, verdict } = await quoted(t);
  await authority.revoke("41".repeat(20));
  assert.equal((await verdict()).result, "OK");
});

test("collateral that is signed anew verifies the quotes of before", async (t) => {
  const { state, verdict } = await quoted(t);
  for (const day of [21, 42, 400]) {
    state.atDay(day);
    const { result, collateralExpired } = await verdict();
    assert.deepEqual([result, collateralExpired], ["OK", false], `day ${day}`);
  }
});

test("collateral that nobody renews is expired after thirty days, and not a second before", async (t) => {
  const { state, verdict } = await quoted(t);
  const issued = Math.floor(state.now.getTime() / 1000) * 1000;
  assert.equal((await verdict(new Date(issued + 30 * DAY_MS - 1000))).collateralExpired, false);
  assert.equal((await verdict(new Date(issued + 30 * DAY_MS + 1000))).collateralExpired, true);
});

test("another software platform's root is not trusted for it", async (t) => {
  const { verdict } = await quoted(t);
  const other = await openProvisioningAuthority(new TemporaryState(t).options());
  assert.equal((await verdict(undefined, other.rootCertificatePem)).retName, "PCK_CERT_CHAIN_ERROR");
});
