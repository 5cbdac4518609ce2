import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { checkAnswer } from "../../check/check-answer.ts";
import { CollateralError } from "../../errors.ts";
import { TEST_START } from "../../testing/manual-clock.ts";
import { pckRequest, softwarePki, type TestPlatform, tcbHex, tcbmOf } from "../../testing/software-pki.ts";
import { TEST_TCB_LEVELS, type TestTcb } from "../../testing/test-documents.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { readQcnlFile } from "./qcnl-file.ts";
import { qcnlFilesSource } from "./qcnl-files-source.ts";

// Files as Intel's administration tool writes them: constructed from their layout (spec: DCAP §13).
const HOUR = 3_600_000;
const pki = softwarePki();
const platform = pki.addPlatform();
const { signal } = new AbortController();

interface FileOptions {
  readonly version?: number;
  readonly kind?: number;
  readonly expires?: number;
  readonly components?: string;
  readonly tcbInfo?: string;
  readonly chain?: string;
  readonly certificates?: string;
}

function fileOf(of: TestPlatform, options: FileOptions = {}): Uint8Array {
  const list = of.certificates.certificates.map(({ tcbm, certificate }) => ({
    tcbm,
    cert: certificate === undefined ? "Not available" : encodeURIComponent(certificate),
  }));
  const header = Buffer.alloc(14);
  header.writeUInt16LE(options.version ?? 1, 0);
  header.writeUInt32LE(options.kind ?? 4, 2);
  header.writeBigInt64LE(BigInt((options.expires ?? TEST_START + HOUR) / 1000), 6);
  const parts = [
    options.components ?? tcbHex(of.tcbs[0] as TestTcb).cpuSvn.toLowerCase(),
    options.tcbInfo ?? pki.tcbInfo({ fmspc: of.fmspc }).body,
    options.chain ?? encodeURIComponent(pki.pckIssuerChain(of.ca)),
    options.certificates ?? JSON.stringify(list),
  ].flatMap((text) => {
    const bytes = Buffer.from(text);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return [size, bytes];
  });
  return Uint8Array.from(Buffer.concat([header, ...parts]));
}

function sourceOf(files: Readonly<Record<string, Uint8Array>>) {
  const read = async (name: string, maxBytes: number) => {
    const bytes = files[name];
    assert.ok(bytes === undefined || bytes.length <= maxBytes);
    return bytes === undefined ? undefined : { bytes, stamp: "" };
  };
  const directory = { name: "/d", read } as DirectoryFiles;
  return qcnlFilesSource({ files: directory, clock: pki.clock });
}

const own = `${platform.qeId}_${platform.pceId}`.toLowerCase();
const failsWith = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CollateralError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

describe("Intel's files for local_cache_only", () => {
  it("answer with the certificate that Intel's selection chooses, which passes the checks", async () => {
    for (const tcb of TEST_TCB_LEVELS) {
      const request = pckRequest(platform, tcb);
      const source = sourceOf({ [own]: fileOf(platform, { components: request.cpuSvn }) });
      const { answer, maxAgeMs } = await source.fetch(request, { signal });
      assert.equal(answer.tcbm, tcbmOf(tcb));
      assert.equal(maxAgeMs, HOUR);
      const { fmspc } = checkAnswer(request, answer, { trustedRoots: [pki.trustedRoot] });
      assert.equal(fmspc, platform.fmspc);
    }
  });

  it("for any platform stand in where there is none of its own, by the platform's own components", async () => {
    const source = sourceOf({ "0000000000000000_0000": fileOf(platform, { components: "f".repeat(32) }) });
    const tcb = TEST_TCB_LEVELS.at(-1) as TestTcb;
    const { answer } = await source.fetch(pckRequest(platform, tcb), { signal });
    assert.equal(answer.tcbm, tcbmOf(tcb));
  });

  it("are for PCK certificates only; what is not there, over or too high is not found", async () => {
    const request = pckRequest(platform);
    await assert.rejects(sourceOf({}).fetch(request, { signal }), failsWith("NOT_FOUND", new RegExp(own)));
    const source = sourceOf({ [own]: fileOf(platform, { expires: TEST_START }) });
    await assert.rejects(source.fetch(request, { signal }), failsWith("NOT_FOUND", /time is over/));
    const high = sourceOf({ [own]: fileOf(platform, { components: "00".repeat(16) }) });
    await assert.rejects(high.fetch(request, { signal }), failsWith("NOT_FOUND", /no certificate for this TCB/));
    await assert.rejects(
      source.fetch({ kind: "pck-crl", ca: "platform" }, { signal }),
      failsWith("NOT_FOUND", /PCK certificates only/),
    );
  });

  it("that are something else are refused, and say what is wrong", async () => {
    const cases: readonly [FileOptions, RegExp][] = [
      [{ version: 2 }, /version 2, not 1/],
      [{ kind: 1 }, /no list of PCK certificates/],
      [{ components: "f".repeat(31) }, /32 hexadecimal digits/],
      [{ tcbInfo: "{" }, /TCB info/i],
      [{ chain: "%zz" }, /not URL-encoded/],
      [{ chain: "" }, /issuer chain is missing/],
      [{ certificates: "{}" }, /no list/],
      [{ certificates: '[{"cert":1}]' }, /no text/],
      [{ certificates: '[{"cert":"x"}]' }, /not one PEM/],
      [{ certificates: JSON.stringify(Array.from({ length: 1025 }, () => ({ cert: "x" }))) }, /1025 certificates/],
    ];
    for (const [options, words] of cases) {
      const source = sourceOf({ [own]: fileOf(platform, options) });
      await assert.rejects(source.fetch(pckRequest(platform), { signal }), failsWith("SOURCE_ANSWER", words));
    }
  });

  it("of another platform are answered, and the checks refuse them", async () => {
    const other = pki.addPlatform({ pceId: "0100" });
    const request = { ...pckRequest(platform), pceId: other.pceId };
    const source = sourceOf({ [`${platform.qeId}_0100`.toLowerCase()]: fileOf(platform) });
    await assert.rejects(source.fetch(request, { signal }), failsWith("SOURCE_ANSWER", /PCEID/));
  });

  it("cut or changed anywhere: SOURCE_ANSWER or a file that reads, never anything else", () => {
    const whole = fileOf(platform);
    assert.equal(readQcnlFile(whole, "s", "f").certificates.length, TEST_TCB_LEVELS.length);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = cut ? whole.slice(0, at) : whole.slice();
        if (!cut) bytes[at] = value;
        try {
          readQcnlFile(bytes, "s", "f");
          assert.equal(cut, false);
        } catch (error) {
          assert.ok(error instanceof CollateralError && error.code === "SOURCE_ANSWER", String(error));
        }
      }),
    );
    assert.throws(() => readQcnlFile(Buffer.concat([whole, Buffer.of(0)]), "s", "f"), /1 bytes too many/);
  });
});
