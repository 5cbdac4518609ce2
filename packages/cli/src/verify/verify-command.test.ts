import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { DER_TAG, derElement, derInteger, derOctetString, derOid, derSequence } from "@confcom/sgx/der";

// `confcom verify` and `confcom inspect` as a person runs them: exit status and first line of every kind of answer.

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const REAL = fileURLToPath(new URL("../../../verify/src/fixtures/real/", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "confcom-verify-"));
const path = (name: string) => join(directory, name);
after(() => rmSync(directory, { recursive: true, force: true }));

interface Ran {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly out: string;
  readonly err: string;
}

function confcom(...args: readonly string[]): Ran {
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: "utf8" });
  return { status, lines: stdout.split("\n"), out: stdout, err: stderr };
}

/** A real quote with its collateral at a date. */
function real(quote: string, collateral: string, at: number): string[] {
  return [
    "verify",
    join(REAL, "quotes", quote),
    "--collateral",
    join(REAL, "collateral", `${collateral}.json`),
    "--at",
    `${at}`,
  ];
}

const SGX = real("sgx_v3_f8b81014b6e4.bin", "dq_sgx_00a067", 1750416971);
const TDX = real("tdx_v4_9069d475eda3.bin", "near_tdx_20a06f", 1756885319);
const TDX_OUT_OF_DATE = real("tdx_v5_67adfc4acd82.bin", "oe_tdx_00806f05_eval21", 1781389161);

const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const otherKey = generateKeyPairSync("ec", { namedCurve: "P-384" });

function publicKeyInfo(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
}

/** A certificate with a gramine RA-TLS extension. Nobody looks at its signature. */
function certificate(publicKey: KeyObject, quote: Uint8Array): Uint8Array {
  const algorithm = derSequence(derOid("1.2.840.10045.4.3.2"));
  const text = (tag: number, value: string) => derElement(tag, new TextEncoder().encode(value));
  const name = derSequence(
    derElement(DER_TAG.SET, derSequence(derOid("2.5.4.3"), text(DER_TAG.UTF8_STRING, "\u001b[31mRATLS"))),
  );
  const extension = derSequence(derOid("1.2.840.113741.1337.6"), derOctetString(quote));
  const toBeSigned = derSequence(
    derElement(0xa0, derInteger(2)),
    derInteger(1),
    algorithm,
    name,
    derSequence(text(DER_TAG.UTC_TIME, "200101000000Z"), text(DER_TAG.UTC_TIME, "491231235959Z")),
    name,
    publicKeyInfo(publicKey),
    derElement(0xa3, derSequence(extension)),
  );
  return derSequence(toBeSigned, algorithm, derElement(DER_TAG.BIT_STRING, Uint8Array.of(0, 1)));
}

const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

before(async () => {
  const helper = spawn(
    process.execPath,
    [MAIN, "quote-helper", "--socket", path("aesm.socket"), "--state", path("state"), "--workers", "1", "--json"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await new Promise((resolve) => helper.stdout.once("data", resolve));
  const hash = createHash("sha256").update(publicKeyInfo(key.publicKey)).digest("hex");
  const made = confcom("quote", "--socket", path("aesm.socket"), "--report-data", hash, "--out", path("software.bin"));
  assert.equal(made.status, 0, made.err);
  helper.kill("SIGTERM");
  await new Promise((resolve) => helper.once("close", resolve));
  assert.equal(confcom("collateral", "export", "--state", path("state"), "--out", path("collateral.json")).status, 0);
  assert.equal(
    confcom("collateral", "export", "--state", path("state"), "--root", "--out", path("root.pem")).status,
    0,
  );
  const quote = new Uint8Array(readFileSync(path("software.bin")));
  writeFileSync(path("certificate.der"), certificate(key.publicKey, quote));
  writeFileSync(path("certificate.pem"), `text before\n${pem(certificate(key.publicKey, quote))}`);
  writeFileSync(path("stolen.pem"), pem(certificate(otherKey.publicKey, quote)));
  writeFileSync(path("empty"), "");
});

const SOFTWARE = ["--collateral", path("collateral.json")];

describe("confcom verify", () => {
  it("a real SGX quote at its date: 1, because the platform needs attention; 0 with that allowed", () => {
    const strict = confcom(...SGX);
    assert.equal(strict.status, 1);
    assert.match(
      strict.lines[0] as string,
      /^VERIFIED, POLICY NOT MET CONFIG_AND_SW_HARDENING_NEEDED: The quote is genuine/,
    );
    assert.match(
      strict.lines[1] as string,
      /^policy not met: allowedResults: .* \(--allow CONFIG_AND_SW_HARDENING_NEEDED would accept it\)$/,
    );
    const allowed = confcom(...SGX, "--allow", "CONFIG_AND_SW_HARDENING_NEEDED");
    assert.equal(allowed.status, 0);
    assert.match(allowed.lines[0] as string, /^VERIFIED CONFIG_AND_SW_HARDENING_NEEDED: /);
  });

  it("a real TDX v4 quote that is up to date: 0", () => {
    const { status, lines } = confcom(...TDX);
    assert.equal(status, 0);
    assert.equal(lines[0], "VERIFIED OK: The quote is genuine and the platform up to date.");
    assert.equal(lines[1], "policy met");
    assert.ok(lines.includes("steps"));
  });

  it("the same in hexadecimal or base64, in lines or not", () => {
    const quote = readFileSync(TDX[1] as string);
    const hex = quote.toString("hex");
    for (const [name, text] of Object.entries({
      hex,
      "hex with 0x": `0x${hex.toUpperCase()}\n`,
      "hex in lines": hex.replace(/.{64}/g, "$&\n"),
      base64: quote.toString("base64"),
      "base64 in lines": quote.toString("base64").replace(/.{76}/g, "$&\r\n"),
      base64url: quote.toString("base64url"),
    })) {
      writeFileSync(path("text-quote"), text);
      assert.equal(confcom("verify", path("text-quote"), ...TDX.slice(2)).status, 0, name);
      assert.match(confcom("inspect", path("text-quote")).out, /^TDX quote version 4/, name);
    }
  });

  it("a TDX quote that is out of date: 1", () => {
    const { status, lines } = confcom(...TDX_OUT_OF_DATE);
    assert.equal(status, 1);
    assert.match(lines[0] as string, /^VERIFIED, POLICY NOT MET OUT_OF_DATE: /);
    assert.match(lines[1] as string, /\(--allow OUT_OF_DATE would accept it\)$/);
  });

  it("one flipped bit: 2", () => {
    const quote = readFileSync(TDX[1] as string);
    quote[100] = (quote[100] as number) ^ 1;
    writeFileSync(path("flipped.bin"), quote);
    const { status, lines } = confcom("verify", path("flipped.bin"), ...TDX.slice(2));
    assert.equal(status, 2);
    assert.match(lines[0] as string, /^NOT VERIFIED 0xE068 RESULT_INVALID_SIGNATURE: /);
  });

  it("expired collateral: 1; 0 with that allowed", () => {
    const expired = [...TDX.slice(0, -1), "1788421319"];
    const strict = confcom(...expired);
    assert.equal(strict.status, 1);
    assert.match(strict.lines[0] as string, /^VERIFIED, POLICY NOT MET OK: /);
    assert.match(strict.lines[1] as string, /allowExpiredCollateral: .* \(--allow-expired would accept it\)$/);
    assert.equal(confcom(...expired, "--allow-expired").status, 0);
  });

  it("a software platform's quote: 2 without its root named, 0 with it", () => {
    const without = confcom("verify", path("software.bin"), ...SOFTWARE);
    assert.equal(without.status, 2);
    assert.match(
      without.lines[0] as string,
      /^NOT VERIFIED 0xE022 PCK_CERT_CHAIN_ERROR: .*not among the trusted roots$/,
    );
    assert.match(without.lines[1] as string, /^--trust-root ROOT\.pem would trust this root/);
    const named = confcom("verify", path("software.bin"), ...SOFTWARE, "--trust-root", path("root.pem"));
    assert.equal(named.status, 0);
    assert.equal(named.lines[0], "VERIFIED OK: The quote is genuine and the platform up to date.");
    assert.match(named.out, /not that any enclave ran on SGX hardware/);
  });

  it("collateral in a directory: whole, or as documents, whose PCK CRL is that of the quote's CA", () => {
    assert.equal(confcom("collateral", "export", "--state", path("state"), "--out", path("exported")).status, 0);
    const args = ["verify", path("software.bin"), "--trust-root", path("root.pem"), "--collateral", path("exported")];
    rmSync(path("exported/collateral.json"));
    assert.equal(confcom(...args).status, 0);
    rmSync(path("exported/pck-crl-platform.der"));
    const without = confcom(...args);
    assert.equal(without.status, 65);
    assert.match(without.err, /has neither collateral\.json nor all of .*pck-crl-platform\.der/);
    writeFileSync(path("exported/collateral.json"), readFileSync(path("collateral.json")));
    assert.equal(confcom(...args).status, 0);
  });

  it("an empty file: 2, with collateral or without", () => {
    for (const more of [[], SOFTWARE]) {
      const { status, lines } = confcom("verify", path("empty"), ...more);
      assert.equal(status, 2);
      assert.match(
        lines[0] as string,
        /^NOT VERIFIED 0xE002 INVALID_PARAMETER: a quote has at least 1020 bytes, got 0$/,
      );
    }
  });

  it("bytes that are no quote: 2", () => {
    writeFileSync(path("text"), "this is no quote, and it is not base64 either.\n".repeat(50));
    const { status, lines } = confcom("verify", path("text"), ...SOFTWARE);
    assert.equal(status, 2);
    assert.match(lines[0] as string, /^NOT VERIFIED 0xE01D QUOTE_FORMAT_UNSUPPORTED: /);
  });

  it("a wrong command line: 64", () => {
    for (const args of [
      ["verify"],
      ["verify", path("software.bin")],
      [...TDX, "--allow", "REVOKED"],
      [...TDX, "--allow-platform", "any"],
      [...TDX, "--rtmr", "4=00"],
      [...TDX, "--max-collateral-age", "1d"],
      [...TDX, "--mrtd", "00".repeat(48), "--mrsigner", "00".repeat(32)],
      [...TDX, "--at", "yesterday"],
      [...TDX, "--at", "1/2/2026"],
      ["verify", "--jsonl", path("empty"), "--allow", "OUT_OF_DATE"],
      ["verify", "--jsonl", path("empty"), "--collateral", path("collateral.json")],
      ["verify", "--jsonl", path("empty"), path("software.bin")],
    ]) {
      assert.equal(confcom(...args).status, 64, args.join(" "));
    }
  });
});

describe("confcom verify --policy", () => {
  const policyFile = (name: string, policy: unknown) => {
    writeFileSync(path(name), typeof policy === "string" ? policy : JSON.stringify(policy));
    return ["--policy", path(name)];
  };

  it("reports every rule that is not met, and the flags it names have the quote accepted", () => {
    for (const [quote, policy, count] of [
      [
        SGX,
        {
          allowedPlatforms: ["other"],
          maximumCollateralAge: 1,
          minimumTcbEvaluationDataNumber: 1000,
          minimumQeIsvSvn: 1000,
          minimumPceSvn: 1000,
          toleratedAdvisories: [],
          reportData: "01",
          sgx: { mrEnclave: ["00".repeat(32)], mrSigner: [], isvProdId: 77, minimumIsvSvn: 60000 },
        },
        12,
      ],
      [TDX_OUT_OF_DATE, { td: { mrTd: ["00".repeat(48)], rtmr: ["11".repeat(48), null, "22".repeat(48)] } }, 4],
    ] as const) {
      const args = [...quote, ...policyFile("policy.json", policy)];
      const { status, lines } = confcom(...args);
      assert.equal(status, 1);
      assert.match(lines[0] as string, /^VERIFIED, POLICY NOT MET /);
      const failures = lines.filter((line) => line.startsWith("policy not met: "));
      assert.equal(failures.length, count);
      for (const line of failures) assert.match(line, /\(--[a-z-]+ .*would accept it\)$/);
      const json = JSON.parse(confcom(...args, "--json").out) as { policy: { failures: { flag: string }[] } };
      const flags = json.policy.failures.flatMap(({ flag }) => flag.split(" "));
      const accepted = confcom(...args, ...flags);
      assert.equal(accepted.status, 0, accepted.out);
    }
  });

  it("says of rules without a flag that only the file could accept the quote", () => {
    const { status, out } = confcom(...TDX, ...policyFile("owner.json", { td: { mrOwner: "01".repeat(48) } }));
    assert.equal(status, 1);
    assert.match(out, /td\.mrOwner: .*\(only td\.mrOwner of the policy file could accept it\)/);
    const sgx = confcom(...TDX, ...policyFile("sgx.json", { sgx: {} }));
    assert.match(sgx.out, /policy not met: sgx: wanted an SGX quote, found a TDX quote/);
  });

  it("is met by what it allows", () => {
    assert.equal(
      confcom(...SGX, ...policyFile("allow.json", { allowedResults: ["CONFIG_AND_SW_HARDENING_NEEDED"] })).status,
      0,
    );
    // It may also be stricter than no policy at all.
    assert.equal(confcom(...TDX, ...policyFile("none.json", { allowedResults: [] })).status, 1);
    const software = ["verify", path("software.bin"), ...SOFTWARE, "--trust-root", path("root.pem")];
    const hardware = policyFile("hardware.json", { allowedPlatforms: ["hardware"] });
    const refused = confcom(...software, ...hardware);
    assert.equal(refused.status, 1);
    assert.match(refused.lines[1] as string, /\(--allow-platform software would accept it\)$/);
    assert.equal(confcom(...software, ...hardware, "--allow-platform", "software").status, 0);
  });

  it("is refused with its mistake named: 65, never taken for no rule", () => {
    for (const [policy, message] of [
      [{ allowDebgu: true }, /allowDebgu is not a field/],
      ["{", /not JSON/],
      [{ sgx: { mrEnclave: ["00"] } }, /sgx\.mrEnclave\[0\] is not 32 bytes/],
    ] as const) {
      const { status, err } = confcom(...TDX, ...policyFile("bad.json", policy));
      assert.equal(status, 65);
      assert.match(err, message);
    }
    assert.equal(confcom(...TDX, "--policy", path("absent.json")).status, 65);
  });

  it("compares the report data with a file's SHA-256", () => {
    writeFileSync(path("key.der"), publicKeyInfo(key.publicKey));
    const args = ["verify", path("software.bin"), "--state", path("state"), "--report-data-sha256"];
    assert.equal(confcom(...args, path("key.der")).status, 0);
    assert.equal(confcom(...args, path("empty")).status, 1);
  });
});

describe("certificates that carry a quote", () => {
  it("are verified with the binding of their key, as DER, PEM, hex or base64", () => {
    const der = readFileSync(path("certificate.der"));
    writeFileSync(path("certificate.hex"), der.toString("hex"));
    writeFileSync(path("certificate.b64"), der.toString("base64"));
    for (const form of ["der", "pem", "hex", "b64"]) {
      const { status, lines, out } = confcom("verify", path(`certificate.${form}`), "--state", path("state"));
      assert.equal(status, 0, form);
      assert.match(lines[0] as string, /^VERIFIED OK: /);
      assert.match(out, /✓ key binding: the report data is the SHA-256 of the public key/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the subject of the certificate tries to drive the terminal
      assert.doesNotMatch(out, /\u001b/);
    }
  });

  it("are not verified if the quote is for another key: 2", () => {
    const { status, lines, out } = confcom("verify", path("stolen.pem"), "--state", path("state"));
    assert.equal(status, 2);
    assert.match(
      lines[0] as string,
      /^NOT VERIFIED 0xE001 UNEXPECTED: SHA-256 of the public key .* but the report data is /,
    );
    assert.match(out, /✗ key binding: .*STATUS_CERTIFICATE_KEY_NOT_BOUND/);
    const json = JSON.parse(confcom("verify", path("stolen.pem"), "--state", path("state"), "--json").out);
    assert.deepEqual(
      [json.verified, json.result, json.policy, json.certificate.keyBinding.bound],
      [false, "UNSPECIFIED", null, false],
    );
  });

  it("are not verified if they carry none: 2", () => {
    const { status, lines } = confcom("verify", path("root.pem"), "--state", path("state"));
    assert.equal(status, 2);
    assert.match(lines[0] as string, /^NOT VERIFIED 0xE01D QUOTE_FORMAT_UNSUPPORTED: the certificate carries no quote/);
  });

  it("are shown by inspect, with their quote", () => {
    const { status, lines, out } = confcom("inspect", path("certificate.pem"));
    assert.equal(status, 0);
    assert.match(lines[0] as string, /^certificate /);
    assert.match(out, /quote in 1\.2\.840\.113741\.1337\.6 {2}gramine RA-TLS quote/);
    assert.match(out, /✓ key binding:/);
    assert.match(out, /SGX quote version 3/);
    assert.match(confcom("inspect", path("stolen.pem")).out, /✗ key binding:/);
    const json = JSON.parse(confcom("inspect", path("certificate.der"), "--json").out);
    assert.deepEqual([json.certificate.keyBinding.bound, json.quote.header.version], [true, 3]);
    assert.equal(confcom("inspect", path("root.pem")).status, 65);
    assert.equal(confcom("inspect", path("empty")).status, 65);
  });
});
