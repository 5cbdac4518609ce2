import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fromHex } from "@confcom/sgx";
import fc from "fast-check";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import { softwarePki, TEST_FMSPC, type TestTcb, tcbHex, tcbmOf } from "../testing/index.ts";
import { PckCertificateSelection, selectPckCertificate } from "./index.ts";

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");

const SAMPLES = Array.from({ length: 7 }, (_, i) => ({ name: `pck${i}`, certificate: fixture(`pck${i}_sample.pem`) }));
const TCB_INFO = fixture("tcb_info_4.json");

/** Little-endian bytes. */
const pceSvnHex = (pceSvn: number) => tcbHex({ components: new Uint8Array(16), pceSvn }).pceSvn;

function fails(code: CollateralErrorCode, work: () => unknown): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof CollateralError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

const pki = softwarePki();
const svns = fc.uint8Array({ minLength: 16, maxLength: 16, max: 3 });
const tcb = fc.record({ components: svns, pceSvn: fc.nat(3) }, { noNullPrototype: true });
const levels = fc.uniqueArray(tcb, { minLength: 1, maxLength: 6, selector: tcbmOf });

function certificatesFor(tcbs: readonly TestTcb[]) {
  return tcbs.map((tcb) => ({ tcb, certificate: pki.pckCertificate({ tcb }) }));
}

function tcbInfoWith(list: readonly TestTcb[], tee: "sgx" | "tdx" = "sgx", version: 3 | 4 = 4): string {
  return pki.tcbInfo({ tee, version, levels: list.map((level) => ({ ...level, status: "UpToDate" })) }).body;
}

const atLeast = (a: TestTcb, b: TestTcb) =>
  a.pceSvn >= b.pceSvn && a.components.every((svn, i) => svn >= (b.components[i] as number));

const raw = (one: TestTcb) => ({ ...tcbHex(one), pceId: "0000" });

describe("the selection of a PCK certificate", () => {
  it("is that of Intel's library, for its samples", () => {
    const expected: [cpuSvn: string, pceSvn: number, name: string | undefined][] = [
      ["02020101010101010101010101010101", 6, "pck0"],
      ["02020101010101010101010100000000", 6, "pck0"],
      ["02020101000000000000000000000000", 6, "pck2"],
      ["01010101010101010000000000000000", 4, "pck2"],
      ["00000000000000000000000000000000", 1, undefined],
      ["01010101010101010101010101010001", 7, "pck0"],
    ];
    for (const [cpuSvn, pceSvn, name] of expected) {
      const asked = { cpuSvn, pceSvn: pceSvnHex(pceSvn), pceId: "0000" };
      assert.equal(selectPckCertificate(SAMPLES, TCB_INFO, asked)?.certificate.name, name);
    }
    const asked = { cpuSvn: "02020101000000000000000000000000", pceSvn: "0600", pceId: "0000" };
    assert.equal(selectPckCertificate(SAMPLES, TCB_INFO, asked)?.tcbm, "010101010000000000000000000000000400");
  });

  it("of Intel's samples follows the levels: a higher level before a certificate that is higher elsewhere", () => {
    const chosen = (cpuSvn: string, pceSvn: number) =>
      selectPckCertificate(SAMPLES, TCB_INFO, { cpuSvn, pceSvn: pceSvnHex(pceSvn), pceId: "0000" })?.certificate.name;
    const ones = "01".repeat(16);
    // pck4 (all 1, PCESVN 7) and pck5 (14 times 1, PCESVN 8) reach the highest level, and neither is above the other.
    assert.equal(chosen(ones, 8), "pck4");
    assert.equal(chosen(`${"01".repeat(14)}0000`, 8), "pck5");
    assert.equal(chosen(`${"01".repeat(14)}0000`, 7), "pck0");
    // PCESVN 5: pck1 and pck6 reach one level, and pck1 is the higher.
    assert.equal(chosen(ones, 5), "pck1");
    assert.equal(chosen(`${"01".repeat(15)}00`, 5), "pck6");
    assert.equal(chosen(`${"01".repeat(11)}${"00".repeat(5)}`, 5), "pck3");
    assert.equal(chosen(ones, 3), undefined);
    assert.equal(chosen("00".repeat(16), 0xffff), undefined);
  });

  it("for several raw TCBs of several platforms is the one for each", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ held: levels, raws: levels }), { maxLength: 3 }), levels, (platforms, info) => {
        const body = tcbInfoWith(info);
        const selection = new PckCertificateSelection();
        for (const { held, raws } of platforms) {
          const certificates = certificatesFor(held);
          const choose = selection.of(certificates, body, "0000");
          for (const one of raws) {
            assert.deepEqual(choose(tcbHex(one)), selectPckCertificate(certificates, body, raw(one)));
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("refuses a TCB info of version 1", () => {
    const asked = { cpuSvn: "01".repeat(16), pceSvn: "0700", pceId: "0000" };
    fails("SOURCE_ANSWER", () => selectPckCertificate(SAMPLES, fixture("tcb_info.json"), asked));
  });

  it("is a certificate not above the raw TCB, of the highest level that any such one reaches", () => {
    fc.assert(
      fc.property(fc.array(tcb, { minLength: 1, maxLength: 6 }), levels, tcb, (tcbs, list, platform) => {
        const certificates = certificatesFor(tcbs);
        const selected = selectPckCertificate(certificates, tcbInfoWith(list), raw(platform));
        const fitting = tcbs.filter((one) => atLeast(platform, one));
        if (selected === undefined) return assert.deepEqual(fitting, []);
        const { certificate } = selected;
        assert.equal(selected.tcbm, tcbmOf(certificate.tcb));
        assert.ok(atLeast(platform, certificate.tcb));
        // Highest first, by components and then PCESVN, both most significant first: the hexadecimal sorts as the numbers do.
        const order = ({ components, pceSvn }: TestTcb) => Buffer.from([...components, pceSvn]).toString("hex");
        const sorted = list.toSorted((a, b) => (order(a) < order(b) ? 1 : -1));
        const level = (one: TestTcb) => sorted.findIndex((item) => atLeast(one, item)) >>> 0;
        assert.ok(fitting.every((one) => level(certificate.tcb) <= level(one)));
        const same = fitting.filter((one) => level(one) === level(certificate.tcb));
        assert.ok(same.every((one) => tcbmOf(one) === tcbmOf(certificate.tcb) || !atLeast(one, certificate.tcb)));
      }),
      { numRuns: 60 },
    );
  });

  it("is the library's own for certificates in the service's order, bucket by bucket", () => {
    const order = ({ components, pceSvn }: TestTcb) => Buffer.from([...components, pceSvn]).toString("hex");
    const descending = (a: TestTcb, b: TestTcb) => (order(a) < order(b) ? 1 : -1);
    const several = fc.uniqueArray(tcb, { minLength: 1, maxLength: 8, selector: tcbmOf });
    fc.assert(
      fc.property(several, levels, tcb, (tcbs, list, platform) => {
        const sorted = list.toSorted(descending);
        const buckets = Array.from({ length: sorted.length + 1 }, (): TestTcb[] => []);
        for (const one of tcbs.toSorted(descending)) {
          const reached = sorted.findIndex((level) => atLeast(one, level));
          const bucket = buckets[reached < 0 ? sorted.length : reached] as TestTcb[];
          const place = bucket.findIndex((other) => atLeast(one, other));
          bucket.splice(place < 0 ? bucket.length : place, 0, one);
        }
        const expected = buckets.flat().find((one) => atLeast(platform, one));
        const selected = selectPckCertificate(certificatesFor(tcbs), tcbInfoWith(list), raw(platform));
        assert.equal(selected?.tcbm, expected && tcbmOf(expected));
      }),
      { numRuns: 60 },
    );
  });

  it("does not depend on the order of certificates or of levels, nor on a certificate given twice", () => {
    const input = fc
      .tuple(fc.array(tcb, { minLength: 1, maxLength: 5 }), levels, tcb)
      .chain(([tcbs, list, platform]) => {
        const certificates = certificatesFor(tcbs);
        const twice = [...certificates, ...certificates];
        return fc.record({
          certificates: fc.constant(certificates),
          shuffled: fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length }),
          list: fc.constant(list),
          shuffledList: fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
          platform: fc.constant(platform),
        });
      });
    fc.assert(
      fc.property(input, ({ certificates, shuffled, list, shuffledList, platform }) => {
        const one = selectPckCertificate(certificates, tcbInfoWith(list), raw(platform));
        const other = selectPckCertificate(shuffled, tcbInfoWith(shuffledList), raw(platform));
        assert.equal(other?.certificate.certificate, one?.certificate.certificate);
        assert.equal(other?.tcbm, one?.tcbm);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same with TCB info of version 2 and with that of TDX", () => {
    fc.assert(
      fc.property(fc.array(tcb, { minLength: 1, maxLength: 4 }), levels, tcb, (tcbs, list, platform) => {
        const certificates = certificatesFor(tcbs);
        const three = selectPckCertificate(certificates, tcbInfoWith(list), raw(platform));
        assert.deepEqual(selectPckCertificate(certificates, tcbInfoWith(list, "sgx", 3), raw(platform)), three);
        assert.deepEqual(selectPckCertificate(certificates, tcbInfoWith(list, "tdx"), raw(platform)), three);
      }),
      { numRuns: 25 },
    );
  });

  it("of two certificates for one TCB is the one issued last", () => {
    const one = { components: new Uint8Array(16).fill(1), pceSvn: 1 };
    const old = { certificate: pki.pckCertificate({ tcb: one, notBefore: Date.UTC(2021, 0, 1) }) };
    const young = { certificate: pki.pckCertificate({ tcb: one, notBefore: Date.UTC(2022, 0, 1) }) };
    for (const list of [
      [old, young],
      [young, old],
    ]) {
      assert.equal(selectPckCertificate(list, tcbInfoWith([one]), raw(one))?.certificate, young);
    }
  });

  it("is among certificates of one platform, model and PCE only", () => {
    const one = { components: new Uint8Array(16).fill(1), pceSvn: 0x0102 };
    const right = { certificate: pki.pckCertificate({ tcb: one, pceId: "0100" }) };
    const info = pki.tcbInfo({ pceId: "0100", levels: [{ ...one, status: "UpToDate" }] }).body;
    const asked = { ...tcbHex(one), pceId: "0100" };
    assert.equal(asked.pceSvn, "0201");
    assert.equal(selectPckCertificate([right], info, asked)?.tcbm, `${"01".repeat(16)}0201`);
    for (const change of [
      { ppid: fromHex("22".repeat(16)) },
      { fmspc: TEST_FMSPC.replace("C0", "C1") },
      { pceId: "0001" },
      { pceId: "0000" },
    ]) {
      const wrong = { certificate: pki.pckCertificate({ tcb: one, pceId: "0100", ...change }) };
      fails("SOURCE_ANSWER", () => selectPckCertificate([right, wrong], info, asked));
      fails("SOURCE_ANSWER", () => selectPckCertificate([wrong, right], info, asked));
    }
    fails("SOURCE_ANSWER", () => selectPckCertificate([right], info, { ...asked, pceId: "0001" }));
  });

  it("of none is none", () => {
    assert.equal(
      selectPckCertificate([], TCB_INFO, { cpuSvn: "00".repeat(16), pceSvn: "0000", pceId: "0000" }),
      undefined,
    );
  });

  it("of anything else fails with a code", () => {
    const asked = { cpuSvn: "01".repeat(16), pceSvn: "0700", pceId: "0000" };
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("cpuSvn", "pceSvn", "pceId"), (text, name) => {
        fails("SOURCE_ANSWER", () => selectPckCertificate(SAMPLES, text, asked));
        fails("SOURCE_ANSWER", () => selectPckCertificate([{ certificate: text }], TCB_INFO, asked));
        fails("PARAMETER", () => selectPckCertificate(SAMPLES, TCB_INFO, { ...asked, [name]: `${text}!` }));
      }),
    );
    const many = Array.from({ length: 1025 }, () => SAMPLES[0] as { certificate: string });
    fails("SOURCE_ANSWER", () => selectPckCertificate(many, TCB_INFO, asked));
    const chain = { certificate: (SAMPLES[0]?.certificate ?? "") + SAMPLES[1]?.certificate };
    fails("SOURCE_ANSWER", () => selectPckCertificate([chain], TCB_INFO, asked));
  });
});
