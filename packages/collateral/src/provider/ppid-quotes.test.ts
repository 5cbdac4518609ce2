import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { decodePckExtension, decodeQuote, fromHex } from "@confcom/sgx";
import {
  decodePemCertificates,
  INTEL_SGX_ROOT_KEY,
  parseCertificate,
  sgxExtensionOf,
  trustedRootFromCertificate,
  verifyQuote,
} from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import type { AnswerTo, CollateralAnswer } from "../answer.ts";
import { CollateralError } from "../errors.ts";
import { httpClient } from "../http/index.ts";
import type { CollateralRequest, PckCertificateRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import { pccsSource } from "../sources/index.ts";
import { fakeService } from "../testing/fake-service.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { pckRequest, softwarePki } from "../testing/software-pki.ts";
import { collateralForQuote } from "./collateral-for-quote.ts";
import { CollateralProvider } from "./collateral-provider.ts";
import { completedQuote, withCertificationData } from "./completed-quote.ts";

// Quotes of platforms without a quote provider: PPID data where others have a PCK certificate (spec: DCAP §3).
const REAL = new URL("../../../verify/src/fixtures/real/", import.meta.url);
const quoteOf = (name: string) => Uint8Array.from(readFileSync(new URL(`quotes/${name}.bin`, REAL)));
const QUOTES = [
  ["sgx_v3_f8b81014b6e4", "dq_sgx_00a067", 1750416971_000],
  ["tdx_v4_9069d475eda3", "near_tdx_20a06f", 1756885319_000],
  ["tdx_v5_67adfc4acd82", "oe_tdx_00806f05_eval21", 1781389161_000],
] as const;
const PPID_SIZES = { 1: 16, 2: 256, 3: 384 } as const;

/** A real quote's PCK certificate as a service answers with it, and the platform's part of PPID data. */
function pckOf(quote: Uint8Array) {
  const pem = new TextDecoder().decode(decodeQuote(quote).signatureData.certificationData).replace("\0", "");
  const [certificate = "", ...issuers] = pem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((part) => part !== "");
  const [der] = decodePemCertificates(new TextEncoder().encode(certificate)) ?? [];
  const leaf = parseCertificate(der as Uint8Array);
  const { tcb, fmspc, pceId } = decodePckExtension(sgxExtensionOf(leaf) as Uint8Array);
  const raw = Buffer.concat([tcb.cpuSvn, Buffer.of(tcb.pceSvn & 0xff, tcb.pceSvn >> 8)]);
  const answer = {
    kind: "pck-certificate",
    certificate,
    issuerChain: issuers.join(""),
    tcbm: raw.toString("hex").toUpperCase(),
    fmspc: Buffer.from(fmspc).toString("hex").toUpperCase(),
    ca: leaf.issuer.commonName.includes("Processor") ? "processor" : "platform",
  } as const;
  return { answer, platform: Buffer.concat([raw, pceId.slice().reverse()]) };
}

function realSource(name: string, pck: CollateralAnswer, asked: CollateralRequest[]): CollateralSource {
  const fields = JSON.parse(readFileSync(new URL(`collateral/${name}.json`, REAL), "utf8")) as Record<string, string>;
  const text = (field: string) => fields[field] as string;
  const answers: Readonly<Record<string, CollateralAnswer>> = {
    "pck-certificate": pck,
    "tcb-info": {
      kind: "tcb-info",
      body: `{"tcbInfo":${text("tcb_info")},"signature":"${text("tcb_info_signature")}"}`,
      issuerChain: text("tcb_info_issuer_chain"),
    },
    identity: {
      kind: "identity",
      body: `{"enclaveIdentity":${text("qe_identity")},"signature":"${text("qe_identity_signature")}"}`,
      issuerChain: text("qe_identity_issuer_chain"),
    },
    "pck-crl": { kind: "pck-crl", crl: fromHex(text("pck_crl")), issuerChain: text("pck_crl_issuer_chain") },
    "root-ca-crl": { kind: "root-ca-crl", crl: fromHex(text("root_ca_crl")) },
  };
  return {
    kind: "pccs",
    name: "pccs",
    async fetch<R extends CollateralRequest>(request: R) {
      asked.push(request);
      return { answer: answers[request.kind] as AnswerTo<R> };
    },
  };
}

describe("a quote with PPID data", () => {
  for (const [name, collateralName, now] of QUOTES) {
    it(`${name}: gets its PCK certificate from a source, and verifies as the one with the chain does`, async () => {
      const genuine = quoteOf(name);
      const { answer, platform } = pckOf(genuine);
      for (const [type, size] of Object.entries(PPID_SIZES)) {
        const ppid = Buffer.alloc(size, 0xa5);
        const quote = withCertificationData(genuine, Number(type), Buffer.concat([ppid, platform]));
        const terms = { now: new Date(now), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
        const asked: CollateralRequest[] = [];
        const provider = new CollateralProvider({
          sources: [realSource(collateralName, answer, asked)],
          trustedRoots: [INTEL_SGX_ROOT_KEY],
          clock: new ManualClock(now),
          random: () => 0,
        });
        const { collateral, parts, quote: completed } = await collateralForQuote(provider, quote);
        const request = asked[0] as PckCertificateRequest;
        assert.equal(request.qeId, Buffer.from(genuine.subarray(28, 44)).toString("hex").toUpperCase());
        assert.equal(request.cpuSvn + request.pceSvn, answer.tcbm);
        // The service decrypts RSA-3072 only; the QE ID names the platform all the same.
        assert.equal(request.encryptedPpid, type === "3" ? "A5".repeat(384) : undefined);
        assert.equal(parts[0]?.answer.kind, "pck-certificate");
        assert.deepEqual(completed, genuine);
        const expected = verifyQuote(genuine, collateral, terms);
        assert.equal(expected.ret, 0);
        assert.deepEqual(verifyQuote(completed as Uint8Array, collateral, terms), expected);
        assert.notEqual(verifyQuote(quote, collateral, terms).ret, 0, "without the chain it is not verified");
      }
    });
  }

  it("of another platform's certificate is completed, and does not verify", async () => {
    const genuine = quoteOf("sgx_v3_f8b81014b6e4");
    const { answer } = pckOf(quoteOf("tdx_v4_9069d475eda3"));
    const fields = JSON.parse(readFileSync(new URL("collateral/dq_sgx_00a067.json", REAL), "utf8")) as never;
    const terms = { now: new Date(1750416971_000), trustedRoots: [INTEL_SGX_ROOT_KEY], crypto: nodeCrypto };
    assert.notEqual(verifyQuote(completedQuote(genuine, answer), fields, terms).ret, 0);
  });

  it("with a chain of its own keeps it", async () => {
    const { answer } = pckOf(quoteOf("sgx_v3_f8b81014b6e4"));
    const asked: CollateralRequest[] = [];
    const provider = new CollateralProvider({
      sources: [realSource("dq_sgx_00a067", answer, asked)],
      trustedRoots: [INTEL_SGX_ROOT_KEY],
      clock: new ManualClock(1750416971_000),
      random: () => 0,
    });
    assert.equal((await collateralForQuote(provider, quoteOf("sgx_v3_f8b81014b6e4"))).quote, undefined);
    assert.ok(asked.every(({ kind }) => kind !== "pck-certificate"));
  });
});

describe("a quote with PPID data and a PCCS", async () => {
  const pki = softwarePki();
  const platform = pki.addPlatform();
  const pccs = await fakeService({ pki, form: "pccs" });
  const http = httpClient({
    clock: { now: Date.now, setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  });
  after(() => {
    http.close();
    return pccs.close();
  });
  const provider = () =>
    new CollateralProvider({
      sources: [pccsSource({ http, baseUrl: pccs.base })],
      trustedRoots: [trustedRootFromCertificate(pki.rootPem)],
      clock: pki.clock,
      random: () => 0,
    });
  /** A quote whose QE ID and PPID data are this platform's. */
  const quoteFrom = (qeId: string, encryptedPpid = platform.encryptedPpid) => {
    const { cpuSvn, pceSvn, pceId } = pckRequest(platform);
    const quote = quoteOf("sgx_v3_f8b81014b6e4");
    quote.set(fromHex(qeId, 16), 28);
    return withCertificationData(quote, 3, fromHex(encryptedPpid + cpuSvn + pceSvn + pceId));
  };

  it("asks with QE ID and encrypted PPID, and carries the chain that it answers", async () => {
    const { quote } = await collateralForQuote(provider(), quoteFrom(platform.qeId));
    const query = pccs.requests.find(({ path }) => path.endsWith("/pckcert"))?.query;
    assert.equal(query?.get("qeid")?.toUpperCase(), platform.qeId);
    assert.equal(query?.get("encrypted_ppid")?.toUpperCase(), platform.encryptedPpid);
    const { certificationDataType, certificationData } = decodeQuote(quote as Uint8Array).signatureData;
    assert.equal(certificationDataType, 5);
    assert.equal(decodePemCertificates(certificationData)?.length, 3);
  });

  it("that does not know the platform: PLATFORM_UNKNOWN, with what to do", async () => {
    await assert.rejects(collateralForQuote(provider(), quoteFrom("77".repeat(16), "77".repeat(384))), (error) => {
      assert.ok(error instanceof CollateralError);
      assert.equal(error.code, "PLATFORM_UNKNOWN");
      assert.match(error.message, /461.*register/);
      return true;
    });
  });

  it("whose PPID data has another size is refused before anybody is asked", async () => {
    const asked = pccs.requests.length;
    const quote = withCertificationData(quoteOf("sgx_v3_f8b81014b6e4"), 3, new Uint8Array(403));
    await assert.rejects(collateralForQuote(provider(), quote), /403 bytes, not 404/);
    assert.equal(pccs.requests.length, asked);
  });
});
