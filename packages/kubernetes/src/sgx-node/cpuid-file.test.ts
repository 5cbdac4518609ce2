import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { captureCpuid, readCpuidDevice, writeCpuidFile } from "./cpuid-capture.ts";
import { CPUID_FILE_LIMIT, type CpuidRecord, decodeCpuidFile, encodeCpuidFile } from "./cpuid-file.ts";
import { epcFromCpuid } from "./epc-from-cpuid.ts";

type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** A CPU that answers what the table says and zeros elsewhere. */
const cpu = (answers: Readonly<Record<string, Registers>>) => (leaf: number, subleaf: number) => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const registers = answers[`${leaf}.${subleaf}`] ?? [0, 0, 0, 0];
  registers.forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  return bytes;
};

const HEAD = { "0.0": [0x1b, 0, 0, 0], "7.0": [1, 4, 1 << 30, 0], "18.0": [3, 0, 0, 0] } as const satisfies Record<
  string,
  Registers
>;
/** Two sections: 0x30_4000_0000 + 0x2_0000_0000 (8 GiB) and one of 93.5 MiB, as an ordinary laptop has. */
const TWO = {
  ...HEAD,
  "18.2": [0x4000_0001, 0x30, 0x0000_0001, 0x2],
  "18.3": [0x7020_0001, 0, 0x05d8_0001, 0],
} as const satisfies Record<string, Registers>;

const epcOf = (record: CpuidRecord) => epcFromCpuid(() => encodeCpuidFile(record));

describe("EPC by CPUID", () => {
  it("sections are added up: bits 31:12 of the low registers, 19:0 of the high ones", () => {
    const found = epcOf(captureCpuid(cpu(TWO)));
    assert.deepEqual(found, {
      usable: true,
      why: "CPUID names 2 EPC sections, 8687976448 bytes",
      bytes: 8 * 1024 ** 3 + 93.5 * 1024 ** 2,
      perNumaNode: [],
    });
  });

  it("a size of 2 GiB is one (bit 31), and reserved bits of the high registers are none", () => {
    const found = epcOf(captureCpuid(cpu({ ...HEAD, "18.2": [1, 0xfff0_0000, 0x8000_0001, 0xfff0_0000] })));
    assert.equal(found.usable && found.bytes, 2 ** 31);
  });

  it("sections of a type that is not known do not count, those behind them do", () => {
    const found = epcOf(captureCpuid(cpu({ ...HEAD, "18.2": [2, 1, 0x1000_0001, 0], "18.3": TWO["18.3"] })));
    assert.match(found.why, /1 EPC sections, 98041856 bytes/);
  });

  it("a CPU is not asked beyond its highest leaf, where it would repeat that one's answer", () => {
    const asked: number[] = [];
    const old = captureCpuid((leaf, subleaf) => {
      asked.push(leaf);
      return cpu({ ...TWO, "0.0": [0x11, 0, 0, 0] })(leaf, subleaf);
    });
    assert.deepEqual(asked, [0, 7]);
    assert.equal(epcOf(old).usable, false);
  });

  it("sections end with the first that has type 0", () => {
    const asked: string[] = [];
    captureCpuid((leaf, subleaf) => {
      asked.push(`${leaf}.${subleaf}`);
      return cpu(TWO)(leaf, subleaf);
    });
    assert.deepEqual(asked, ["0.0", "7.0", "18.0", "18.2", "18.3", "18.4"]);
  });

  it("a CPU that names sections for ever is asked 64 times", () => {
    const record = captureCpuid((leaf, subleaf) => cpu({ ...TWO, [`18.${subleaf}`]: [1, 1, 1, 1] })(leaf, subleaf));
    assert.equal("leaves" in record && record.leaves.length, 67);
  });

  for (const [what, answers, why] of [
    ["too old for leaf 0x12", { "0.0": [0xd, 0, 0, 0], "7.0": [0, 4, 0, 0] }, /switched off/],
    ["without SGX", { ...TWO, "7.0": [0, 0, 0, 0] }, /the CPU has no SGX/],
    ["with SGX switched off", { ...TWO, "18.0": [0, 0, 0, 0] }, /SGX is switched off/],
    ["without sections", HEAD, /0 bytes of EPC/],
    ["with implausible sections", { ...HEAD, "18.2": [1, 0, 0xffff_f001, 0xf_ffff] }, /cannot be/],
  ] as const) {
    it(`a CPU ${what} has none, and the reason is said`, () => {
      const found = epcOf(captureCpuid(cpu(answers)));
      assert.equal(found.usable, false);
      assert.match(found.why, why);
    });
  }

  it("a section that is named twice counts once", () => {
    const found = epcOf(captureCpuid(cpu({ ...TWO, "18.4": TWO["18.2"] })));
    assert.match(found.why, /2 EPC sections/);
  });

  it("a CPU that cannot be asked is a record, and the reason reaches /status", () => {
    const record = captureCpuid(() => {
      throw new Error("EIO: i/o error");
    });
    assert.match(epcOf(record).why, /CPUID could not be read: EIO/);
    assert.match(epcOf(captureCpuid(() => new Uint8Array(8))).why, /8 bytes, not 16/);
  });

  it("without the file, or with one that is damaged, the reason is said", () => {
    assert.match(epcFromCpuid(undefined).why, /--cpuid-from is not set/);
    const whole = encodeCpuidFile(captureCpuid(cpu(TWO)));
    const damaged = (bytes: Uint8Array) => epcFromCpuid(() => bytes).why;
    assert.match(damaged(new Uint8Array(0)), /no JSON text \(was it written whole\?\)/);
    assert.match(damaged(whole.subarray(0, whole.length - 9)), /no JSON text/);
    assert.match(damaged(new Uint8Array(CPUID_FILE_LIMIT + 1)), /more than 65536/);
    const replaced = (from: string, to: string) =>
      damaged(new TextEncoder().encode(new TextDecoder().decode(whole).replace(from, to)));
    assert.match(replaced("confcom-cpuid-1", "confcom-cpuid-2"), /format is not confcom-cpuid-1/);
    assert.match(replaced('"ebx": 4', '"ebx": -4'), /ebx of a CPUID leaf is no 32-bit number/);
    assert.match(replaced('"ebx": 4', '"ebx": 4294967296'), /ebx of a CPUID leaf/);
    assert.match(replaced('"ebx": 4', '"ebx": "4"'), /ebx of a CPUID leaf/);
    assert.match(replaced('"leaves"', '"leave"'), /no list of CPUID leaves/);
    assert.match(damaged(new TextEncoder().encode("null")), /format is not/);
    const enoent = () => {
      throw new Error("ENOENT: no such file");
    };
    assert.match(epcFromCpuid(enoent).why, /cannot be used: ENOENT/);
  });

  it("whatever the file holds, the answer is a size or a reason", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((json) => new TextEncoder().encode(json)),
    );
    fc.assert(fc.property(bytes, (content) => typeof epcFromCpuid(() => content).why === "string"));
  });

  it("the file is written whole and only that: nothing else is left beside it", () => {
    const directory = fs.mkdtempSync(join(tmpdir(), "confcom-cpuid-"));
    try {
      const path = join(directory, "cpuid.json");
      const record = captureCpuid(cpu(TWO));
      writeCpuidFile(path, record);
      assert.deepEqual(decodeCpuidFile(fs.readFileSync(path)), record);
      writeCpuidFile(path, { unavailable: "no" });
      assert.deepEqual(decodeCpuidFile(fs.readFileSync(path)), { unavailable: "no" });
      assert.deepEqual(fs.readdirSync(directory), ["cpuid.json"]);
      assert.throws(() => writeCpuidFile(join(directory, "no/file"), record), { code: "SGX_CPUID" });
      assert.match(JSON.stringify(readCpuidDevice(directory)), /cannot be opened \(ENOENT\): is the kernel module/);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });
});
