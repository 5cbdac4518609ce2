import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryStore } from "../service/testing/memory-store.ts";
import type { CollateralStore } from "../store/store.ts";
import { SoftwarePki, type TestPlatform, tcbHex } from "../testing/index.ts";
import {
  exportPlatformCollateral,
  PlatformCollateralRefusal,
  platformCollateralChanges,
  readPlatformCollateral,
} from "./index.ts";

const pki = new SoftwarePki();
const terms = { trustedRoots: [pki.trustedRoot] };

function platformRow(platform: TestPlatform) {
  const tcb = tcbHex(platform.tcbs[0] as TestPlatform["tcbs"][number]);
  return {
    qe_id: platform.qeId.toLowerCase(),
    pce_id: platform.pceId,
    cpu_svn: tcb.cpuSvn,
    pce_svn: tcb.pceSvn,
    enc_ppid: platform.encryptedPpid.toLowerCase(),
    platform_manifest: platform.platformManifest,
  };
}

/** As Intel's administration tool writes it. */
function document(platforms: readonly TestPlatform[]) {
  const body = (early: boolean, tee: "sgx" | "tdx") =>
    JSON.parse(pki.tcbInfo({ tee, update: early ? "early" : "standard" }).body) as unknown;
  return {
    platforms: platforms.map(platformRow),
    collaterals: {
      version: 4,
      pck_certs: platforms.map((platform) => ({
        ...platformRow(platform),
        certs: platform.certificates.certificates.map(({ tcbm, certificate }) => ({
          tcb: {},
          tcbm,
          cert: encodeURIComponent(certificate ?? ""),
        })),
      })),
      tcbinfos: [
        {
          fmspc: platforms[0]?.fmspc,
          sgx_tcbinfo: body(false, "sgx"),
          sgx_tcbinfo_early: body(true, "sgx"),
          tdx_tcbinfo: body(false, "tdx"),
        },
      ],
      pckcacrl: {
        processorCrl: hex(pki.crl("processor")),
        platformCrl: hex(pki.crl("platform")),
      },
      qeidentity: pki.identity({ id: "QE" }).body,
      tdqeidentity: pki.identity({ id: "TD_QE" }).body,
      qveidentity: pki.identity({ id: "QVE" }).body,
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": {
          PROCESSOR: encodeURIComponent(pki.pckIssuerChain("processor")),
          PLATFORM: encodeURIComponent(pki.pckIssuerChain("platform")),
        },
        "SGX-TCB-Info-Issuer-Chain": encodeURIComponent(pki.tcbIssuerChain),
        "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(pki.tcbIssuerChain),
      },
      rootcacrl_cdp: pki.rootCaCrlUrl,
      rootcacrl: hex(pki.crl("root")),
    },
  };
}

const platforms = [pki.addPlatform(), pki.addPlatform({ ca: "processor" })];
const good = document(platforms);

async function imported(content: unknown): Promise<CollateralStore> {
  const store = new MemoryStore(pki.clock);
  await store.write(await platformCollateralChanges(readPlatformCollateral(content), { terms }));
  return store;
}

async function exported(store: CollateralStore): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of exportPlatformCollateral(store, 4)) pieces.push(piece);
  return pieces.join("");
}

/** The document with one member changed: `path` names it. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy = structuredClone(good) as unknown;
  let parent = copy as Record<string | number, unknown>;
  for (const name of path.slice(0, -1)) parent = parent[name] as Record<string | number, unknown>;
  parent[path.at(-1) as string] = value;
  return copy;
}

async function status(content: unknown): Promise<number> {
  try {
    await imported(content);
  } catch (error) {
    if (error instanceof PlatformCollateralRefusal) return error.status;
    throw error;
  }
  return 200;
}

test("platforms, certificates and documents are in the store after an import", async () => {
  const store = await imported(good);
  assert.deepEqual(await store.counts(), {
    platforms: 2,
    certificates: platforms.reduce((sum, { certificates }) => sum + certificates.certificates.length, 0),
  });
  for (const platform of platforms) {
    const { qeId, pceId, fmspc, ca } = platform;
    const answer = await store.pckAnswer({ qeId, pceId, ...tcbHex(platform.tcbs[0] as never) });
    assert.deepEqual(answer && { fmspc: answer.fmspc, ca: answer.ca }, { fmspc, ca });
  }
  assert.equal((await store.tcbInfoKeys()).length, 3);
  assert.equal((await store.identityKeys()).length, 3);
  assert.deepEqual(await store.crlUrls(), [pki.rootCaCrlUrl]);
});

test("what is exported is imported into the same, byte for byte, TCB info as it was signed", async () => {
  const first = await exported(await imported(good));
  assert.ok(first.includes(pki.tcbInfo().body));
  assert.equal(await exported(await imported(JSON.parse(first))), first);
});

test("an export of an empty store is a document", async () => {
  const text = await exported(new MemoryStore(pki.clock));
  assert.deepEqual(await platformCollateralChanges(readPlatformCollateral(JSON.parse(text)), { terms }), []);
});

const other = new SoftwarePki({ name: "another root" });
const collaterals = good.collaterals;
const REFUSED: readonly (readonly [string, 400 | 460, unknown])[] = [
  ["no object", 400, []],
  ["nothing", 400, null],
  ["no platforms", 400, changed(["platforms"], undefined)],
  ["a version that is none", 400, changed(["collaterals", "version"], 5)],
  ["a QE ID that is empty", 400, changed(["platforms", 0, "qe_id"], "")],
  ["a QE ID of 261 characters", 400, changed(["platforms", 0, "qe_id"], "A".repeat(261))],
  ["a CPUSVN of 31 digits", 400, changed(["platforms", 0, "cpu_svn"], "0".repeat(31))],
  ["an encrypted PPID that is a number", 400, changed(["platforms", 0, "enc_ppid"], 7)],
  ["no certificates of a platform", 400, changed(["collaterals", "pck_certs", 0, "certs"], [])],
  ["a certificate with broken URL encoding", 400, changed(["collaterals", "pck_certs", 0, "certs", 0, "cert"], "%zz")],
  ["no chains", 400, changed(["collaterals", "certificates"], undefined)],
  ["no TCB info of a platform's FMSPC", 400, changed(["collaterals", "tcbinfos"], [])],
  ["a CRL that is not hexadecimal", 400, changed(["collaterals", "rootcacrl"], "zz")],
  ["a root CRL of another root", 460, changed(["collaterals", "rootcacrl"], hex(other.crl("root")))],
  ["a PCK CRL of the other CA", 460, changed(["collaterals", "pckcacrl", "platformCrl"], hex(pki.crl("processor")))],
  [
    "a PCK chain of another root",
    460,
    changed(
      ["collaterals", "certificates", "SGX-PCK-Certificate-Issuer-Chain", "PLATFORM"],
      encodeURIComponent(other.pckIssuerChain("platform")),
    ),
  ],
  [
    "an identity that was changed",
    460,
    changed(["collaterals", "qeidentity"], collaterals.qeidentity.replace("17", "19")),
  ],
  ["an identity of another enclave", 460, changed(["collaterals", "qeidentity"], collaterals.tdqeidentity)],
  [
    "TCB info whose signature is another's",
    460,
    changed(["collaterals", "tcbinfos", 0, "sgx_tcbinfo", "signature"], "0".repeat(128)),
  ],
  ["TCB info under another FMSPC", 460, changed(["collaterals", "tcbinfos", 0, "fmspc"], "000000000000")],
  [
    "a certificate under another TCBm",
    460,
    changed(["collaterals", "pck_certs", 0, "certs", 0, "tcbm"], "0".repeat(36)),
  ],
  [
    "a certificate that is none",
    460,
    changed(["collaterals", "pck_certs", 0, "certs", 0, "cert"], "-----BEGIN CERTIFICATE-----"),
  ],
];

for (const [what, expected, content] of REFUSED) {
  test(`${what} is refused with ${expected}`, async () => assert.equal(await status(content), expected));
}

test("no certificate for a platform's TCB is refused with 400", async () => {
  const changes = platformCollateralChanges(readPlatformCollateral(good), { terms, select: () => undefined });
  await assert.rejects(changes, { name: "PlatformCollateralRefusal", status: 400 });
});

test("whatever JSON comes is decoded or refused", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(collaterals)), (value, name) => {
      for (const content of [value, changed(["collaterals", name], value), changed(["platforms", 0], value)]) {
        try {
          readPlatformCollateral(content);
        } catch (error) {
          assert.ok(error instanceof PlatformCollateralRefusal && error.status === 400, String(error));
        }
      }
    }),
    { numRuns: 200 },
  );
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
