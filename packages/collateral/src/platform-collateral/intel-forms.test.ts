import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiVersion } from "../request.ts";
import { MemoryStore } from "../service/testing/memory-store.ts";
import type { CollateralStore } from "../store/store.ts";
import { SoftwarePki, type TestPlatform, tcbHex } from "../testing/index.ts";
import { exportPlatformCollateral, platformCollateralChanges, readPlatformCollateral } from "./index.ts";

// Files are constructed here as Intel's PCS client and PCCS administration tools write them, and what is exported is held
// against what Intel's service asks of each field. Neither program runs here.

const pki = new SoftwarePki();
const terms = { trustedRoots: [pki.trustedRoot] };
const platforms = [pki.addPlatform(), pki.addPlatform({ ca: "processor" })];

/** The provisioning service's own entries; the tool hands them on, in lower case where it encodes itself. */
function toolFile(version: ApiVersion, of: readonly TestPlatform[] = platforms) {
  const body = (tee: "sgx" | "tdx", update: "standard" | "early") =>
    JSON.parse(pki.tcbInfo({ tee, update, version }).body) as unknown;
  const list = of.map((platform) => {
    const { cpuSvn, pceSvn } = tcbHex(platform.tcbs[0] as never);
    const row = { enc_ppid: platform.encryptedPpid, pce_id: platform.pceId, cpu_svn: cpuSvn, pce_svn: pceSvn };
    // A column of the CSV file that is not there is null; the newer tool adds the file's name.
    const manifest = platform.platformManifest === "" ? null : platform.platformManifest;
    return { ...row, qe_id: platform.qeId.toLowerCase(), platform_manifest: manifest, pckid_filename: "host-1" };
  });
  return {
    platforms: list,
    collaterals: {
      version,
      pck_certs: of.map((platform, index) => ({
        qe_id: list[index]?.qe_id,
        pce_id: platform.pceId,
        enc_ppid: platform.encryptedPpid,
        platform_manifest: list[index]?.platform_manifest,
        certs: platform.certificates.certificates.map(({ tcbm, certificate }) => ({
          tcb: { sgxtcbcomp01svn: 1, pcesvn: 1 },
          tcbm,
          cert: encodeURIComponent(certificate ?? ""),
        })),
      })),
      tcbinfos: [
        version === 3
          ? { fmspc: of[0]?.fmspc, tcbinfo: body("sgx", "standard"), tcbinfo_early: body("sgx", "early") }
          : {
              fmspc: of[0]?.fmspc,
              sgx_tcbinfo: body("sgx", "standard"),
              tdx_tcbinfo: body("tdx", "standard"),
              sgx_tcbinfo_early: body("sgx", "early"),
            },
      ],
      pckcacrl: { processorCrl: hex(pki.crl("processor")), platformCrl: hex(pki.crl("platform")) },
      qeidentity: pki.identity({ id: "QE" }).body,
      tdqeidentity: version === 3 ? "" : pki.identity({ id: "TD_QE" }).body,
      qveidentity: pki.identity({ id: "QVE" }).body,
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": Object.fromEntries(
          of.map(({ ca }) => [ca.toUpperCase(), encodeURIComponent(pki.pckIssuerChain(ca))]),
        ),
        [version === 3 ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain"]: encodeURIComponent(pki.tcbIssuerChain),
        "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(pki.tcbIssuerChain),
      },
      rootcacrl_cdp: pki.rootCaCrlUrl,
      rootcacrl: hex(pki.crl("root")),
    },
  };
}

/** What the tool writes with --crl: all else is there, and empty. An old one has no PCK chain either. */
function crlFile() {
  const { collaterals } = toolFile(4);
  return {
    platforms: [],
    collaterals: {
      ...collaterals,
      pck_certs: [],
      tcbinfos: [],
      qeidentity: "",
      tdqeidentity: "",
      qveidentity: "",
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": {},
        "TCB-Info-Issuer-Chain": "",
        "SGX-Enclave-Identity-Issuer-Chain": "",
      },
    },
  };
}

async function imported(content: unknown, store: CollateralStore = new MemoryStore(pki.clock)) {
  const leftOut: string[] = [];
  const changes = await platformCollateralChanges(readPlatformCollateral(content), {
    terms,
    knownPckChain: (ca) => store.pckChain(ca),
    leftOut: (what) => leftOut.push(what),
  });
  await store.write(changes);
  return { store, leftOut };
}

async function exported(store: CollateralStore, version: ApiVersion): Promise<unknown> {
  const pieces: string[] = [];
  for await (const piece of exportPlatformCollateral(store, version)) pieces.push(piece);
  return JSON.parse(pieces.join(""));
}

type Node = Readonly<Record<string, unknown>>;

/** What Intel's service refuses with 400 or 460, field by field; empty: it takes the file. */
function refusedByIntel(document: unknown, version: ApiVersion): string[] {
  const found: string[] = [];
  const check = (good: boolean, what: string) => {
    if (!good) found.push(what);
  };
  const matches = (value: unknown, pattern: RegExp) => typeof value === "string" && pattern.test(value);
  const manifest = (value: unknown) => value === undefined || value === null || typeof value === "string";
  const { platforms: list, collaterals } = document as { platforms: Node[]; collaterals: Record<string, unknown> };
  for (const row of list) {
    check(matches(row.qe_id, /^.{1,260}$/), "platform qe_id");
    check(matches(row.pce_id, /^[a-fA-F0-9]{4}$/), "platform pce_id");
    check(matches(row.cpu_svn, /^[a-fA-F0-9]{32}$|^$/), "platform cpu_svn");
    check(matches(row.pce_svn, /^[a-fA-F0-9]{4}$|^$/), "platform pce_svn");
    check(matches(row.enc_ppid, /^[a-fA-F0-9]{768}$|^$/), "platform enc_ppid");
    check(manifest(row.platform_manifest), "platform platform_manifest");
  }
  check(version === 3 || collaterals.version === 4, "version");
  for (const row of collaterals.pck_certs as Node[]) {
    check(matches(row.qe_id, /^.{1,260}$/), "pck_certs qe_id");
    check(matches(row.pce_id, /^[a-fA-F0-9]{4}$/), "pck_certs pce_id");
    check(matches(row.enc_ppid, /^[a-fA-F0-9]{768}$|^$/), "pck_certs enc_ppid");
    check(manifest(row.platform_manifest), "pck_certs platform_manifest");
    // Its service matches the two lists by text.
    check(
      list.some(({ qe_id, pce_id }) => qe_id === row.qe_id && pce_id === row.pce_id),
      "pck_certs platform",
    );
    const certificates = row.certs as Node[];
    check(certificates.length > 0, "certs");
    for (const { tcb, tcbm, cert } of certificates) {
      const { pcesvn, ...components } = tcb as Record<string, number>;
      const names = Array.from({ length: 16 }, (_, n) => `sgxtcbcomp${String(n + 1).padStart(2, "0")}svn`);
      check(Object.keys(components).sort().join() === names.join(), "tcb names");
      check(
        Object.values(components).every((svn) => Number.isInteger(svn) && svn >= 0 && svn <= 255),
        "tcb svn",
      );
      check(Number.isInteger(pcesvn) && (pcesvn as number) <= 65_535, "tcb pcesvn");
      check(matches(tcbm, /^[0-9a-fA-F]{36}$/), "tcbm");
      check(matches(cert, /^-----BEGIN%20CERTIFICATE-----%0A/), "cert");
    }
  }
  for (const row of collaterals.tcbinfos as Node[]) {
    check(matches(row.fmspc, /^[0-9A-F]{12}$/), "tcbinfos fmspc");
    const { fmspc, ...documents } = row;
    const known = version === 3 ? /^tcbinfo(_early)?$/ : /^(sgx|tdx)_tcbinfo(_early)?$/;
    for (const [name, value] of Object.entries(documents)) {
      check(known.test(name), `tcbinfos ${name}`);
      const { tcbInfo, signature } = value as { tcbInfo: Node; signature: unknown };
      check(typeof signature === "string" && tcbInfo.fmspc === fmspc, `tcbinfos ${name} content`);
      check(version === 3 || tcbInfo.id === name.slice(0, 3).toUpperCase(), `tcbinfos ${name} id`);
    }
    check((version === 3 ? row.tcbinfo : row.sgx_tcbinfo) !== undefined, "tcbinfos without SGX");
  }
  const { processorCrl, platformCrl } = collaterals.pckcacrl as Node;
  for (const crl of [processorCrl, platformCrl, collaterals.rootcacrl]) check(matches(crl, /^([0-9A-F]{2})+$/), "CRL");
  for (const name of ["qeidentity", "qveidentity", ...(version === 3 ? [] : ["tdqeidentity"])]) {
    check(typeof collaterals[name] === "string", name);
  }
  const chains = collaterals.certificates as Record<string, unknown>;
  const pck = chains["SGX-PCK-Certificate-Issuer-Chain"] as Record<string, unknown>;
  const roots = [
    pck.PROCESSOR,
    pck.PLATFORM,
    chains[version === 3 ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain"],
    chains["SGX-Enclave-Identity-Issuer-Chain"],
  ].map((chain) => {
    // It cuts a chain in two at the last of these, and compares the second parts as texts.
    const at = String(chain).lastIndexOf("-----BEGIN%20CERTIFICATE-----");
    check(at > 0, "a chain");
    return String(chain).slice(at);
  });
  check(new Set(roots).size === 1, "roots differ");
  return found;
}

for (const version of [3, 4] as const) {
  test(`v${version}: what Intel's tool writes is taken, and what is then exported Intel's service takes`, async () => {
    const { store, leftOut } = await imported(toolFile(version));
    assert.deepEqual(leftOut, []);
    assert.equal((await store.counts()).platforms, 2);
    assert.equal((await store.tcbInfoKeys()).length, version === 3 ? 2 : 3);
    assert.equal((await store.identityKeys()).length, version === 3 ? 2 : 3);
    const document = await exported(store, version);
    assert.deepEqual(refusedByIntel(document, version), []);
    const again = await imported(document);
    assert.deepEqual(await exported(again.store, version), document);
  });
}

test("chains whose line ends differ are exported alike, and the signer is that of the newest document", async () => {
  const { store } = await imported(toolFile(4));
  const crlf = pki.pckIssuerChain("processor").replaceAll("\n", "\r\n").trimEnd();
  await store.write([{ put: "pck-chain", ca: "processor", issuerChain: crlf }]);
  const issued = Date.UTC(2019, 0, 1);
  const { body } = pki.tcbInfo({ fmspc: "000000000000", issued });
  const key = { tee: "sgx", fmspc: "000000000000", version: 4, update: "standard" } as const;
  const json = { body, issuerChain: pki.pckIssuerChain("platform"), issued, nextUpdate: issued };
  await store.write([{ put: "tcb-info", key, json }]);
  const document = (await exported(store, 4)) as ReturnType<typeof toolFile>;
  assert.deepEqual(refusedByIntel(document, 4), []);
  const chain = decodeURIComponent(String((document.collaterals.certificates as Node)["TCB-Info-Issuer-Chain"]));
  assert.equal(chain, pki.tcbIssuerChain);
});

test("a file of CRLs alone uses the chains the store has, and says what it left out where it has none", async () => {
  const alone = await imported(crlFile());
  assert.deepEqual(
    alone.leftOut.map((what) => what.split(",")[0]),
    ["the PCK CRL of the processor CA", "the PCK CRL of the platform CA"],
  );
  assert.notEqual(await alone.store.rootCaCrl(), undefined);
  assert.equal(await alone.store.pckCrl("platform"), undefined);
  // Certificates of one CA: the tool writes both CRLs, and one chain.
  const platform = await imported(toolFile(4, platforms.slice(0, 1)));
  assert.deepEqual(
    platform.leftOut.map((what) => what.split(",")[0]),
    ["the PCK CRL of the processor CA"],
  );
  const both = await imported(crlFile(), (await imported(toolFile(4))).store);
  assert.deepEqual(both.leftOut, []);
  assert.notEqual(await both.store.pckCrl("processor"), undefined);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
