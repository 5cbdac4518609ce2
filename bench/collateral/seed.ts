import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CollateralStore, openStore, type StoreChange } from "@confcom/collateral/store";
import { type SoftwarePki, TEST_FMSPC } from "@confcom/collateral/testing";
import {
  benchmarkAuthority,
  certificateMaker,
  type FleetPlatform,
  fleetPlatform,
  fleetTcbm,
  pckCertificateTarget,
  TCB_TARGET,
} from "./fleet.ts";

export interface Fleet {
  readonly platforms: number;
  readonly certificatesEach: number;
}

export interface Seed {
  /** What `confcom pccs --state` is given. */
  readonly stateDirectory: string;
  /** PEM of the root that imports stand under. */
  readonly rootFile: string;
  readonly databaseBytes: number;
  /** Files of request targets, one a line. */
  readonly targets: { readonly one: string; readonly uniform: string; readonly tcb: string };
}

/** Changes with the layout of what is seeded: an older one is made again. */
const LAYOUT = 1;
const ROWS_PER_WRITE = 20_000;
const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000;

/**
 * A state directory of the service with this fleet in it, written through its store. It stays under `target/`, so that
 * making it is not paid for by every run; the import beside the load writes into it too, the same rows every time.
 */
export async function seededState(fleet: Fleet, progress: (line: string) => void): Promise<Seed> {
  const target = fileURLToPath(new URL("../target/", import.meta.url));
  const directory = join(target, `pccs-${LAYOUT}-${fleet.platforms}x${fleet.certificatesEach}`);
  const authority = benchmarkAuthority();
  if (!existsSync(directory)) {
    const unfinished = `${directory}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await seedStore(join(unfinished, "state"), authority, fleet, progress);
    writeTargets(unfinished, fleet);
    renameSync(unfinished, directory);
  }
  const rootFile = join(directory, "root.pem");
  writeFileSync(rootFile, authority.rootPem);
  const stateDirectory = join(directory, "state");
  return {
    stateDirectory,
    rootFile,
    databaseBytes: databaseBytes(stateDirectory),
    targets: {
      one: join(directory, "one.targets"),
      uniform: join(directory, "uniform.targets"),
      tcb: join(directory, "tcb.targets"),
    },
  };
}

async function seedStore(
  stateDirectory: string,
  authority: SoftwarePki,
  fleet: Fleet,
  progress: (line: string) => void,
): Promise<void> {
  const store = await openStore({
    stateDirectory,
    owner: "benchmark",
    clock: { now: Date.now, setTimeout, clearTimeout: () => undefined },
    random: Math.random,
  });
  try {
    await store.write(documents(authority));
    await writeFleet(store, authority, fleet, progress);
  } finally {
    await store.close();
  }
}

function documents(authority: SoftwarePki): StoreChange[] {
  const issued = Date.now();
  const times = { issued, nextUpdate: issued + TEN_YEARS_MS };
  const { body, issuerChain } = authority.tcbInfo({ fmspc: TEST_FMSPC, ...times });
  return [
    {
      put: "tcb-info",
      key: { tee: "sgx", fmspc: TEST_FMSPC, version: 4, update: "standard" },
      json: { body, issuerChain, ...times },
    },
    { put: "root-ca-crl", crl: { crl: authority.crl("root", times), issuerChain: "", ...times } },
    { put: "pck-chain", ca: "platform", issuerChain: authority.pckIssuerChain("platform") },
  ];
}

async function writeFleet(
  store: CollateralStore,
  authority: SoftwarePki,
  { platforms, certificatesEach }: Fleet,
  progress: (line: string) => void,
): Promise<void> {
  const certificate = certificateMaker(authority);
  let rows: StoreChange[] = [];
  for (let index = 0; index < platforms; index++) {
    const { qeId, pceId, encryptedPpid, cpuSvn, pceSvn } = fleetPlatform(index);
    const key = { qeId, pceId };
    rows.push(
      {
        put: "platform",
        platform: { ...key, encryptedPpid, platformManifest: "", fmspc: TEST_FMSPC, ca: "platform" },
      },
      { put: "platform-tcb", key: { ...key, cpuSvn, pceSvn }, tcbm: fleetTcbm(0) },
    );
    for (let level = 0; level < certificatesEach; level++) {
      const row = { tcbm: fleetTcbm(level), certificate: certificate(`${index}/${level}`) };
      rows.push({ put: "pck-certificate", key, certificate: row });
    }
    if (rows.length < ROWS_PER_WRITE && index < platforms - 1) continue;
    await store.write(rows);
    rows = [];
    progress(`seeding: ${index + 1} of ${platforms} platforms`);
  }
}

function writeTargets(directory: string, { platforms }: Fleet): void {
  const all: FleetPlatform[] = Array.from({ length: platforms }, (_, index) => fleetPlatform(index));
  const lines = all.map(pckCertificateTarget);
  writeFileSync(join(directory, "uniform.targets"), `${lines.join("\n")}\n`);
  writeFileSync(join(directory, "one.targets"), `${lines[0]}\n`);
  writeFileSync(join(directory, "tcb.targets"), `${TCB_TARGET}\n`);
}

function databaseBytes(stateDirectory: string): number {
  return statSync(join(stateDirectory, "pccs.db")).size;
}
