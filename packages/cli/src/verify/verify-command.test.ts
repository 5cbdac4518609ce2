import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { confcom, makeSoftwareQuote, SGX, scratch, TDX, TDX_OUT_OF_DATE } from "./testing/confcom.ts";

// `confcom verify` as a person runs it: exit status and first line of every kind of answer.

const path = scratch();
const SOFTWARE = ["--collateral", path("collateral.json")];

before(async () => {
  await makeSoftwareQuote(path, createHash("sha256").update("what the quote is over").digest("hex"));
  writeFileSync(path("empty"), "");
});

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
      [...TDX, "--allow", "REVOKED"],
      [...TDX, "--allow-platform", "any"],
      [...TDX, "--rtmr", "4=00"],
      [...TDX, "--max-collateral-age", "1d"],
      [...TDX, "--mrtd", "00".repeat(48), "--mrsigner", "00".repeat(32)],
      [...TDX, "--mrtd", "zz"],
      [...SGX, "--mrenclave", "00".repeat(31)],
      [...TDX, "--rtmr", `0=${"00".repeat(47)}`],
      [...TDX, "--at", "yesterday"],
      [...TDX, "--at", "1/2/2026"],
      ["verify", "--jsonl", path("empty"), "--allow", "OUT_OF_DATE"],
      ["verify", "--jsonl", path("empty"), "--collateral", path("collateral.json")],
      ["verify", "--jsonl", path("empty"), path("software.bin")],
    ]) {
      assert.equal(confcom(...args).status, 64, args.join(" "));
    }
  });

  it("a software platform's quote under a policy for hardware: 1; 0 with software allowed", () => {
    writeFileSync(path("hardware.json"), JSON.stringify({ allowedPlatforms: ["hardware"] }));
    const hardware = ["--policy", path("hardware.json")];
    const software = ["verify", path("software.bin"), ...SOFTWARE, "--trust-root", path("root.pem")];
    const refused = confcom(...software, ...hardware);
    assert.equal(refused.status, 1);
    assert.match(refused.lines[1] as string, /\(--allow-platform software would accept it\)$/);
    assert.equal(confcom(...software, ...hardware, "--allow-platform", "software").status, 0);
  });

  it("report data compared with a file's SHA-256", () => {
    writeFileSync(path("key.der"), "what the quote is over");
    const args = ["verify", path("software.bin"), "--state", path("state"), "--report-data-sha256"];
    assert.equal(confcom(...args, path("key.der")).status, 0);
    assert.equal(confcom(...args, path("empty")).status, 1);
  });
});
