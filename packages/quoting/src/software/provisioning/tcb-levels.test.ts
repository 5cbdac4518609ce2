import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { bytesEqual, type DecodedPckExtension, decodePckExtension, toHex } from "@confcom/sgx";
import { CPU_SVN_NAMES, CPU_SVNS } from "../cpu/cpu-svn.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import { TCB_LEVELS } from "./tcb-levels.ts";
import { pckRequest, TemporaryState } from "./testing/temporary-authority.ts";

interface Tcb {
  readonly components: readonly number[];
  readonly pceSvn: number;
}

const isAtLeast = (a: Tcb, b: Tcb) =>
  a.components.every((svn, i) => svn >= (b.components[i] as number)) && a.pceSvn >= b.pceSvn;

/** Components from the first to the last, then PCESVN; the higher TCB first. */
function descending(a: Tcb, b: Tcb): number {
  for (let i = 0; i < 16; i++) {
    const difference = (b.components[i] as number) - (a.components[i] as number);
    if (difference !== 0) return difference;
  }
  return b.pceSvn - a.pceSvn;
}

/** PCK certificate selection (spec: DCAP §12): a certificate's place in `certificates`, or -1. */
function selectPck(levels: readonly Tcb[], certificates: readonly Tcb[], raw: Tcb): number {
  const sorted = [...levels].sort(descending);
  const buckets: Tcb[][] = [...sorted.map(() => []), []];
  for (const certificate of certificates) {
    const level = sorted.findIndex((candidate) => isAtLeast(certificate, candidate));
    (buckets[level === -1 ? sorted.length : level] as Tcb[]).push(certificate);
  }
  const chosen = buckets
    .flatMap((bucket) => bucket.sort(descending))
    .find((certificate) => isAtLeast(raw, certificate));
  return chosen === undefined ? -1 : certificates.indexOf(chosen);
}

/** The SGX extension of a leaf, from the SEQUENCE that follows its identifier and the OCTET STRING's header. */
function sgxExtensionOf(pem: string): DecodedPckExtension {
  const { raw } = new X509Certificate(pem);
  const identifier = Buffer.from("06092a864886f84d010d0104", "hex");
  const header = raw.indexOf(identifier) + identifier.length;
  assert.equal(raw[header], 0x82, "a two-byte length");
  const length = raw.readUInt16BE(header + 1);
  return decodePckExtension(raw.subarray(header + 3, header + 3 + length));
}

test("there is one level for each CPUSVN, in the descending order that Intel publishes", () => {
  const tcbs = TCB_LEVELS.map((level) => ({ components: [...level.cpuSvn], pceSvn: level.pceSvn }));
  assert.deepEqual([...tcbs].sort(descending), tcbs);
  assert.deepEqual(
    TCB_LEVELS.map(({ cpuSvn, tcbStatus }) => `${toHex(cpuSvn)} ${tcbStatus}`),
    [
      "64ea4f3fa0030c36383c322d4f3a8d4f OutOfDate",
      "5339ae8c93ae8f3ce432db924d0f0733 UpToDate",
      "4820f3376ae6b2f2034d3b7a4b48a778 UpToDate",
    ],
  );
});

test("no level is at or above another, so that every search order finds the same one", () => {
  for (const a of TCB_LEVELS) {
    for (const b of TCB_LEVELS.filter((other) => other !== a)) {
      const tcb = (level: typeof a): Tcb => ({ components: [...level.cpuSvn], pceSvn: level.pceSvn });
      assert.equal(isAtLeast(tcb(a), tcb(b)), false, `${toHex(a.cpuSvn)} >= ${toHex(b.cpuSvn)}`);
    }
  }
});

test("PCK selection picks for each raw CPUSVN exactly its own certificate, by the TCB info as published", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const certificates: Tcb[] = [];
  for (const name of CPU_SVN_NAMES) {
    const { tcb } = sgxExtensionOf((await authority.pckChain(pckRequest(name))).chainPem);
    certificates.push({ components: [...tcb.components], pceSvn: tcb.pceSvn });
  }
  const info = JSON.parse((await authority.collateral()).tcb_info) as {
    tcbLevels: { tcb: { sgxtcbcomponents: { svn: number }[]; pcesvn: number } }[];
  };
  const levels = info.tcbLevels.map(({ tcb }) => ({
    components: tcb.sgxtcbcomponents.map(({ svn }) => svn),
    pceSvn: tcb.pcesvn,
  }));
  CPU_SVN_NAMES.forEach((name, i) => {
    const raw = { components: [...CPU_SVNS[name]], pceSvn: 16 };
    assert.equal(selectPck(levels, certificates, raw), i, name);
    assert.equal(selectPck(levels, certificates, { ...raw, pceSvn: 17 }), i, `${name}, newer PCE`);
    assert.equal(selectPck(levels, certificates, { ...raw, pceSvn: 15 }), -1, `${name}, older PCE`);
  });
  assert.equal(selectPck(levels, certificates, { components: new Array(16).fill(0), pceSvn: 16 }), -1);
});

test("each certificate meets its own level and no other", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  for (const name of CPU_SVN_NAMES) {
    const { tcb } = sgxExtensionOf((await authority.pckChain(pckRequest(name))).chainPem);
    const met = TCB_LEVELS.filter((level) =>
      isAtLeast(
        { components: [...tcb.components], pceSvn: tcb.pceSvn },
        { components: [...level.cpuSvn], pceSvn: level.pceSvn },
      ),
    );
    assert.equal(met.length, 1);
    assert.ok(bytesEqual((met[0] as (typeof met)[0]).cpuSvn, CPU_SVNS[name]));
  }
});
