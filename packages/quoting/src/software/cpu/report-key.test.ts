import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ATTRIBUTE_FLAGS, decodeReport, decodeReportBody, encodeReport, fromHex, REPORT_OFFSET } from "@confcom/sgx";
import fc from "fast-check";
import { CPU_SVN_NAMES, CPU_SVNS, type CpuSvnName } from "./cpu-svn.ts";
import { enclaveIdentity } from "./enclave-identity.ts";
import { SIMULATION_REPORT_SECRETS } from "./fuses.ts";
import { checkReportMac, ReportMacChecker } from "./report-key.ts";
import { createSoftwareEnclave } from "./software-enclave.ts";

interface Vector {
  readonly seed: number;
  readonly cpuSvn: CpuSvnName;
  readonly targetInfo: Uint8Array;
  readonly reportData: Uint8Array;
  readonly report: Uint8Array;
}

const VECTORS: readonly Vector[] = (
  JSON.parse(readFileSync(new URL("./fixtures/sdk-simulation-reports.json", import.meta.url), "utf8")) as {
    seed: number;
    cpuSvn: CpuSvnName;
    targetInfo: string;
    reportData: string;
    report: string;
  }[]
).map((v) => ({
  seed: v.seed,
  cpuSvn: v.cpuSvn,
  targetInfo: fromHex(v.targetInfo),
  reportData: fromHex(v.reportData),
  report: fromHex(v.report),
}));

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7));
  return out;
}

test("all 24 reports of the SDK's simulation verify", () => {
  assert.equal(VECTORS.length, 24);
  for (const v of VECTORS) assert.ok(checkReportMac(v.targetInfo, v.report), `seed ${v.seed} ${v.cpuSvn}`);
});

test("the vectors cover every CPUSVN with and without KSS", () => {
  const seen = new Set(
    VECTORS.map((v) => {
      const kss = (decodeReportBody(v.report.subarray(0, 384)).attributes.flags & ATTRIBUTE_FLAGS.KSS) !== 0n;
      return `${v.cpuSvn}/${kss}`;
    }),
  );
  assert.equal(seen.size, 6);
});

test("EREPORT over a vector's identity, target and data gives the vector's bytes", () => {
  for (const v of VECTORS) {
    const { body } = decodeReport(v.report);
    const enclave = createSoftwareEnclave({ identity: body, cpuSvn: v.cpuSvn });
    assert.deepEqual(enclave.report(v.targetInfo, v.reportData), v.report, `seed ${v.seed}`);
  }
});

test("no report verifies for another vector's target", () => {
  const [first, ...rest] = VECTORS as [Vector, ...Vector[]];
  for (const v of rest.filter((other) => other.seed !== first.seed)) {
    assert.equal(checkReportMac(v.targetInfo, first.report), false);
  }
});

test("each of a report's 3,456 bits counts: body, KEYID, MAC", () => {
  const v = VECTORS[0] as Vector;
  const checker = new ReportMacChecker(SIMULATION_REPORT_SECRETS, v.targetInfo);
  assert.equal(v.report.length * 8, 3456);
  for (let bit = 0; bit < 3456; bit++) assert.equal(checker.check(flipped(v.report, bit)), false, `bit ${bit}`);
  assert.ok(checker.check(v.report), "and the report itself still verifies afterwards");
});

test("each bit of the target's MRENCLAVE, ATTRIBUTES, CONFIGSVN, MISCSELECT and CONFIGID counts; no reserved bit does", () => {
  const v = VECTORS.find((candidate) => candidate.cpuSvn === "default") as Vector;
  const covered = (byte: number) => byte < 48 || (byte >= 50 && byte < 56) || (byte >= 64 && byte < 128);
  for (let bit = 0; bit < 512 * 8; bit++) {
    assert.equal(checkReportMac(flipped(v.targetInfo, bit), v.report), !covered(bit >> 3), `bit ${bit}`);
  }
});

test("own reports with random KEYIDs verify in every CPUSVN x KSS combination, and not under another KEYID", () => {
  const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
  for (const cpuSvn of CPU_SVN_NAMES) {
    for (const kss of [false, true]) {
      fc.assert(
        fc.property(bytes(32), bytes(32), bytes(64), bytes(64), (keyId, mrEnclave, reportData, configId) => {
          const flags = ATTRIBUTE_FLAGS.INIT | ATTRIBUTE_FLAGS.MODE64BIT | (kss ? ATTRIBUTE_FLAGS.KSS : 0n);
          const kssFields = kss ? { configId, configSvn: 7, isvExtProdId: configId.subarray(0, 16) } : {};
          const identity = enclaveIdentity({ mrEnclave, attributes: { flags, xfrm: 3n }, ...kssFields });
          const target = createSoftwareEnclave({ identity }).targetInfo;
          const report = createSoftwareEnclave({ identity, cpuSvn, keyId }).report(target, reportData);
          assert.deepEqual(report.slice(REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC), keyId);
          assert.ok(checkReportMac(target, report));
          assert.equal(checkReportMac(target, flipped(report, 384 * 8)), false);
        }),
        { numRuns: 25 },
      );
    }
  }
});

test("a body that names a fourth CPUSVN is refused even with a MAC that fits", () => {
  const v = VECTORS[0] as Vector;
  const { body, keyId, mac } = decodeReport(v.report);
  for (const cpuSvn of [new Uint8Array(16), new Uint8Array(16).fill(0xff)]) {
    assert.equal(checkReportMac(v.targetInfo, encodeReport({ body: { ...body, cpuSvn }, keyId, mac })), false);
  }
});

test("a report made with other secrets does not verify, and one's own secrets verify it", () => {
  const secrets = { reportBaseKey: new Uint8Array(16).fill(9), ownerEpoch: new Uint8Array(16).fill(8) };
  const enclave = createSoftwareEnclave({ secrets });
  const report = enclave.report(enclave.targetInfo, new Uint8Array(64));
  assert.equal(checkReportMac(enclave.targetInfo, report), false);
  assert.ok(checkReportMac(enclave.targetInfo, report, secrets));
  assert.ok(enclave.verifyReport(report));
});

test("an enclave with secret keys never writes them into the KEYID", () => {
  const secrets = { reportBaseKey: new Uint8Array(16).fill(9), ownerEpoch: new Uint8Array(16) };
  const report = createSoftwareEnclave({ secrets }).report(new Uint8Array(512), new Uint8Array(64));
  assert.deepEqual(report.slice(REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC), new Uint8Array(32));
});

test("a checker gives the same answers whether or not it kept the key", () => {
  const v = VECTORS[0] as Vector;
  const enclave = createSoftwareEnclave({ identity: { mrEnclave: new Uint8Array(32).fill(5) } });
  const checker = new ReportMacChecker(SIMULATION_REPORT_SECRETS, enclave.targetInfo);
  const reports = Array.from({ length: 40 }, (_, i) =>
    createSoftwareEnclave({ keyId: new Uint8Array(32).fill(i), cpuSvn: CPU_SVN_NAMES[i % 3] as CpuSvnName }).report(
      enclave.targetInfo,
      new Uint8Array(64).fill(i),
    ),
  );
  for (let round = 0; round < 3; round++) {
    for (const report of reports) assert.ok(checker.check(report));
    assert.equal(checker.check(v.report), false);
  }
});

test("other sizes are errors, not verdicts", () => {
  const v = VECTORS[0] as Vector;
  assert.throws(() => checkReportMac(v.targetInfo.subarray(1), v.report), { code: "SGX_SIZE" });
  assert.throws(() => checkReportMac(v.targetInfo, v.report.subarray(1)), { code: "SGX_SIZE" });
});

test("the three CPUSVNs are 16 bytes each and pairwise incomparable component by component", () => {
  for (const a of CPU_SVN_NAMES) {
    assert.equal(CPU_SVNS[a].length, 16);
    for (const b of CPU_SVN_NAMES.filter((name) => name !== a)) {
      assert.ok(
        CPU_SVNS[a].some((byte, i) => byte > (CPU_SVNS[b][i] as number)),
        `${a} is not below ${b}`,
      );
    }
  }
});
