import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DER_TAG, derBoolean, derElement, derInteger, derOctetString, derOid, derSequence } from "./der/index.ts";
import { SgxFormatError } from "./errors.ts";
import { decodePckExtension, encodePckExtension, type PckExtension } from "./pck-extension.ts";

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

const plain = { noNullPrototype: true } as const;

const processor: fc.Arbitrary<PckExtension> = fc.record(
  {
    ppid: bytes(16),
    tcb: fc.record({ components: bytes(16), pceSvn: fc.nat(0xffff), cpuSvn: bytes(16) }, plain),
    pceId: bytes(2),
    fmspc: bytes(6),
    sgxType: fc.constantFrom(0, 1, 2),
  },
  plain,
);

const platform = fc.record(
  {
    platformInstanceId: bytes(16),
    dynamicPlatform: fc.boolean(),
    cachedKeys: fc.boolean(),
    smtEnabled: fc.boolean(),
  },
  plain,
);

function pair(suffix: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(`1.2.840.113741.1.13.1${suffix}`), value);
}

function tcb(replace: Readonly<Record<number, Uint8Array>> = {}): Uint8Array {
  const values = Array.from({ length: 17 }, (_, i) => pair(`.2.${i + 1}`, replace[i + 1] ?? derInteger(i)));
  return pair(".2", derSequence(...values, pair(".2.18", derOctetString(new Uint8Array(16)))));
}

function elements(tcbElement: Uint8Array = tcb()): Uint8Array[] {
  return [
    pair(".1", derOctetString(new Uint8Array(16))),
    tcbElement,
    pair(".3", derOctetString(new Uint8Array(2))),
    pair(".4", derOctetString(new Uint8Array(6))),
    pair(".5", derInteger(0, DER_TAG.ENUMERATED)),
  ];
}

function refused(...parts: Uint8Array[]): void {
  assert.throws(
    () => decodePckExtension(derSequence(...parts)),
    (error) => error instanceof SgxFormatError && error.code === "PCK_EXTENSION",
  );
}

const flags = (value: Uint8Array) => derSequence(pair(".7.1", value), pair(".7.2", value), pair(".7.3", value));

describe("SGX extension of a PCK certificate", () => {
  it("decodes to what was encoded, of either CA", () => {
    fc.assert(
      fc.property(processor, platform, (extension, fields) => {
        const five = decodePckExtension(encodePckExtension(extension));
        assert.deepEqual(five, { ...extension, elementCount: 5, cutComponents: [] });
        const seven = decodePckExtension(encodePckExtension({ ...extension, platform: fields }));
        assert.deepEqual(seven, { ...extension, platform: fields, elementCount: 7, cutComponents: [] });
      }),
    );
  });

  it("may have its elements in any order", () => {
    assert.equal(decodePckExtension(derSequence(...elements().reverse())).tcb.pceSvn, 16);
  });

  it("has 5 or 7 elements, each once at least", () => {
    const five = elements();
    refused(...five.slice(1));
    refused(...five, five[0] as Uint8Array);
    refused(...five, ...five.slice(0, 3));
    refused(five[0] as Uint8Array, ...five.slice(0, 4));
    refused(...five.slice(1), pair(".9", derInteger(1)));
  });

  it("ignores unknown elements among seven", () => {
    const decoded = decodePckExtension(
      derSequence(...elements(), pair(".8", derInteger(1)), pair(".9", derInteger(1))),
    );
    assert.equal(decoded.platform, undefined);
    assert.match(decoded.platformProblem ?? "", /missing/);
  });

  it("has fields of their sizes and types only", () => {
    const five = elements();
    refused(pair(".1", derOctetString(new Uint8Array(15))), ...five.slice(1));
    refused(...five.slice(0, 4), pair(".5", derInteger(0)));
    refused(...elements(tcb({ 3: derOctetString(Uint8Array.of(1)) })));
    refused(...five.slice(0, 3), pair(".4", derOctetString(new Uint8Array(7))), five[4] as Uint8Array);
    refused(derElement(DER_TAG.SET, derOid("1.2.840.113741.1.13.1.1")), ...five.slice(1));
  });

  it("cuts SVNs that do not fit, as the reference verifier does, and says which", () => {
    const cut = tcb({
      1: derInteger(256),
      2: derInteger(-1),
      3: derInteger(1n << 70n),
      4: derInteger(255),
      17: derInteger(-1),
    });
    const { tcb: read, cutComponents } = decodePckExtension(derSequence(...elements(cut)));
    assert.deepEqual([...read.components.subarray(0, 4)], [0, 255, 255, 255]);
    assert.equal(read.pceSvn, 0xffffffff);
    assert.deepEqual(cutComponents, [1, 2, 3, 17]);
    assert.equal(decodePckExtension(derSequence(...elements(tcb({ 17: derInteger(70000) })))).tcb.pceSvn, 70000);
  });

  it("keeps what is wrong with platform fields for those who need them", () => {
    const id = pair(".6", derOctetString(new Uint8Array(16)));
    const short = pair(".6", derOctetString(new Uint8Array(15)));
    const configuration = pair(".7", flags(derBoolean(true)));
    const twoFlags = pair(".7", derSequence(pair(".7.1", derBoolean(true)), pair(".7.2", derBoolean(true))));
    assert.equal(decodePckExtension(derSequence(...elements(), id, configuration)).platform?.smtEnabled, true);
    assert.match(
      decodePckExtension(derSequence(...elements(), short, configuration)).platformProblem ?? "",
      /16 bytes/,
    );
    assert.match(decodePckExtension(derSequence(...elements(), id, twoFlags)).platformProblem ?? "", /three flags/);
    const ber = derElement(DER_TAG.BOOLEAN, Uint8Array.of(1));
    assert.equal(decodePckExtension(derSequence(...elements(), id, pair(".7", flags(ber)))).platform?.cachedKeys, true);
  });

  it("ends where its DER ends", () => {
    const whole = derSequence(...elements());
    for (let size = 0; size < whole.length; size++) {
      assert.throws(() => decodePckExtension(whole.subarray(0, size)), SgxFormatError);
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    assert.throws(() => decodePckExtension(longer), SgxFormatError);
  });

  it("is not written with values that do not fit", () => {
    const good = { ppid: new Uint8Array(16), pceId: new Uint8Array(2), fmspc: new Uint8Array(6), sgxType: 0 };
    const goodTcb = { components: new Uint8Array(16), pceSvn: 1, cpuSvn: new Uint8Array(16) };
    for (const extension of [
      { ...good, tcb: { ...goodTcb, pceSvn: 65536 } },
      { ...good, tcb: { ...goodTcb, components: new Uint8Array(15) } },
      { ...good, tcb: goodTcb, fmspc: new Uint8Array(5) },
    ]) {
      assert.throws(() => encodePckExtension(extension), SgxFormatError);
    }
  });
});
