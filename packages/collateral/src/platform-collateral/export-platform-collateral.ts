import type { ApiVersion, CertificationCa } from "../request.ts";
import type { CollateralStore, PlatformKey, StoredJson, StoredPlatform } from "../store/store.ts";
import { IDENTITY_MEMBERS } from "./read-platform-collateral.ts";

const PAGE = 500;
const PLATFORM_CAS: readonly (readonly [CertificationCa, string, string])[] = [
  ["processor", "PROCESSOR", "processorCrl"],
  ["platform", "PLATFORM", "platformCrl"],
];

/** A text that is JSON already: signatures are over its bytes. */
type Member = readonly [name: string, json: string];

/**
 * The store's content as a `platformcollateral` document in Intel's form (spec: DCAP §12), in pieces, so that no more than some
 * platforms are in memory. TCB info stands in it byte for byte as it was signed. `progress`: platforms written.
 */
export async function* exportPlatformCollateral(
  store: CollateralStore,
  version: ApiVersion,
  progress?: (platforms: number) => void,
): AsyncGenerator<string> {
  let written = 0;
  let between = "";
  yield `{"platforms":[`;
  for await (const platform of platformsOf(store)) {
    for (const row of await platformRows(store, platform)) {
      yield between + row;
      between = ",";
    }
    progress?.(++written);
  }
  yield `],"collaterals":{"version":${version},"pck_certs":[`;
  between = "";
  for await (const platform of platformsOf(store)) {
    const certificates = await certificateRows(store, platform);
    if (certificates === undefined) continue;
    yield between + certificates;
    between = ",";
  }
  yield `],"tcbinfos":[`;
  const { tcbInfos, chain: tcbInfoChain } = await tcbInfoRows(store, version);
  yield `${tcbInfos.join(",")}]`;
  for (const member of await documentMembers(store, version, tcbInfoChain)) yield `,${pair(member)}`;
  yield "}}";
}

async function* platformsOf(store: CollateralStore): AsyncGenerator<StoredPlatform> {
  let after: PlatformKey | undefined;
  for (;;) {
    const page: readonly StoredPlatform[] = await store.platforms(undefined, after, PAGE);
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

/** One for each raw TCB; a platform of which none was seen has one without. */
async function platformRows(store: CollateralStore, platform: StoredPlatform): Promise<string[]> {
  const rawTcbs = await store.rawTcbs(platform);
  const tcbs = rawTcbs.length === 0 ? [{ cpuSvn: "", pceSvn: "" }] : rawTcbs;
  return tcbs.map(({ cpuSvn, pceSvn }) =>
    JSON.stringify({
      qe_id: platform.qeId,
      pce_id: platform.pceId,
      cpu_svn: cpuSvn,
      pce_svn: pceSvn,
      enc_ppid: platform.encryptedPpid,
      platform_manifest: platform.platformManifest,
    }),
  );
}

async function certificateRows(store: CollateralStore, platform: StoredPlatform): Promise<string | undefined> {
  const certificates = await store.pckCertificates(platform);
  if (certificates.length === 0) return undefined;
  return JSON.stringify({
    qe_id: platform.qeId,
    pce_id: platform.pceId,
    enc_ppid: platform.encryptedPpid,
    platform_manifest: platform.platformManifest,
    certs: certificates.map(({ tcbm, certificate }) => ({
      tcb: tcbOf(tcbm),
      tcbm,
      cert: encodeURIComponent(certificate),
    })),
  });
}

/** The TCBm as numbers, which Intel's schema has beside the hexadecimal form. */
function tcbOf(tcbm: string): Readonly<Record<string, number>> {
  const bytes = Buffer.from(tcbm, "hex");
  const tcb: Record<string, number> = {};
  for (let index = 0; index < 16; index++) {
    tcb[`sgxtcbcomp${String(index + 1).padStart(2, "0")}svn`] = bytes[index] ?? 0;
  }
  tcb.pcesvn = (bytes[16] ?? 0) + 256 * (bytes[17] ?? 0);
  return tcb;
}

async function tcbInfoRows(store: CollateralStore, version: ApiVersion) {
  const byFmspc = new Map<string, Member[]>();
  const chain = new LatestChain();
  for (const key of await store.tcbInfoKeys()) {
    if (key.version !== version || (version === 3 && key.tee === "tdx")) continue;
    const info = await store.tcbInfo(key);
    if (info === undefined) continue;
    chain.add(info);
    const name = `${version === 3 ? "" : `${key.tee}_`}tcbinfo${key.update === "early" ? "_early" : ""}`;
    const members = byFmspc.get(key.fmspc) ?? [];
    members.push([name, info.body]);
    byFmspc.set(key.fmspc, members);
  }
  const tcbInfos = [...byFmspc].map(
    ([fmspc, members]) => `{${[["fmspc", JSON.stringify(fmspc)] as const, ...members].map(pair).join(",")}}`,
  );
  return { tcbInfos, chain: chain.latest };
}

async function documentMembers(
  store: CollateralStore,
  version: ApiVersion,
  tcbInfoChain: string | undefined,
): Promise<Member[]> {
  const crls: Record<string, string> = {};
  const pckChains: Record<string, string> = {};
  for (const [ca, chainName, crlName] of PLATFORM_CAS) {
    const crl = await store.pckCrl(ca);
    const chain = (await store.pckChain(ca)) ?? crl?.issuerChain;
    if (crl !== undefined) crls[crlName] = hexText(crl.crl);
    if (chain !== undefined) pckChains[chainName] = encodedChain(chain);
  }
  const members: Member[] = [["pckcacrl", JSON.stringify(crls)]];
  const chain = new LatestChain();
  for (const [name, id, update] of IDENTITY_MEMBERS) {
    const identity = await store.identity({ id, update, version });
    if (identity === undefined) continue;
    chain.add(identity);
    members.push([name, JSON.stringify(identity.body)]);
  }
  const identityChain = chain.latest;
  const chains = {
    "SGX-PCK-Certificate-Issuer-Chain": pckChains,
    ...(tcbInfoChain === undefined ? {} : { [tcbInfoChainName(version)]: encodedChain(tcbInfoChain) }),
    ...(identityChain === undefined ? {} : { "SGX-Enclave-Identity-Issuer-Chain": encodedChain(identityChain) }),
  };
  members.push(["certificates", JSON.stringify(chains)]);
  const root = await store.rootCaCrl();
  if (root !== undefined) {
    const url = await rootCrlUrl(store, root.crl);
    if (url !== undefined) members.push(["rootcacrl_cdp", JSON.stringify(url)]);
    members.push(["rootcacrl", JSON.stringify(hexText(root.crl))]);
  }
  return members;
}

/** A file has one chain for all documents of a kind: that of the one issued last, whose signer is the one in use. */
class LatestChain {
  #issued = Number.NEGATIVE_INFINITY;
  latest: string | undefined;

  add({ issued, issuerChain }: StoredJson): void {
    if (issued < this.#issued) return;
    this.#issued = issued;
    this.latest = issuerChain;
  }
}

/** Intel's service compares the text of the chains' roots, and refuses a file (460) where line ends alone differ. */
function encodedChain(chain: string): string {
  const certificates = chain.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return encodeURIComponent(certificates.map((pem) => `${pem.replaceAll("\r", "")}\n`).join(""));
}

function tcbInfoChainName(version: ApiVersion): string {
  return version === 3 ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain";
}

/** The distribution point under which the root's CRL is kept too. */
async function rootCrlUrl(store: CollateralStore, crl: Uint8Array): Promise<string | undefined> {
  for (const url of await store.crlUrls()) {
    const kept = await store.crl(url);
    if (kept !== undefined && Buffer.compare(kept.crl, crl) === 0) return url;
  }
  return undefined;
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex").toUpperCase();
}

function pair([name, json]: Member): string {
  return `${JSON.stringify(name)}:${json}`;
}
