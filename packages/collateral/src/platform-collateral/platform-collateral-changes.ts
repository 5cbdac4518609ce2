import { toHex } from "@confcom/sgx";
import { readPckCertificate } from "@confcom/verify/documents";
import type { AnswerTo } from "../answer.ts";
import { type AnswerTerms, checkAnswer, checkPckCertificates, createAnswerChecker } from "../check/index.ts";
import { messageOf } from "../errors.ts";
import { PckCertificateSelection } from "../pck-selection/index.ts";
import type { CertificationCa, CollateralRequest } from "../request.ts";
import type { MaybePromise, PlatformKey, RawTcbKey, StoreChange, StoredPckCertificate } from "../store/store.ts";
import {
  type CollateralPlatform,
  type PlatformCertificates,
  type PlatformCollateral,
  PlatformCollateralRefusal,
} from "./platform-collateral.ts";

/** The TCBm of the certificate for a raw TCB; undefined: none fits. */
export type PckSelection = (
  certificates: readonly StoredPckCertificate[],
  tcbInfo: string,
  rawTcb: RawTcbKey,
) => MaybePromise<string | undefined>;

export interface ChangesOptions {
  /** Whose signatures are taken. The document's own root CRL revokes. */
  readonly terms: AnswerTerms;
  /** Intel's selection unless told. */
  readonly select?: PckSelection;
  /** Raw TCBs that the store has of a platform: they are selected for anew. */
  readonly knownRawTcbs?: (key: PlatformKey) => MaybePromise<readonly RawTcbKey[]>;
  /** The chain that the store has of a PCK CA, for a CRL that comes without one, as Intel's tool writes it. */
  readonly knownPckChain?: (ca: CertificationCa) => MaybePromise<string | undefined>;
  /** Told of a PCK CRL without a chain anywhere: it cannot be checked, and is not taken. */
  readonly leftOut?: (what: string) => void;
  /** After each platform: how many of how many. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Checks every chain, CRL and signature and gives what to write, in one list that is meant for one transaction. Fails with
 * PlatformCollateralRefusal: 460 for what is not genuine, 400 for parts that are missing or for no certificate that fits.
 */
export async function platformCollateralChanges(
  collateral: PlatformCollateral,
  options: ChangesOptions,
): Promise<StoreChange[]> {
  const { crypto } = options.terms;
  const terms: AnswerTerms = {
    // One memory for all: chains are the same over and over.
    checker: createAnswerChecker(crypto === undefined ? {} : { crypto }),
    ...options.terms,
    ...(collateral.rootCaCrl === undefined ? {} : { rootCaCrl: collateral.rootCaCrl }),
  };
  const changes = [...documentChanges(collateral, terms), ...(await pckCrlChanges(collateral, { ...options, terms }))];
  const rawTcbs = rawTcbsByPlatform(collateral.platforms);
  const selection = new PckCertificateSelection();
  let done = 0;
  for (const platform of collateral.certificates) {
    changes.push(
      ...(await platformChanges(collateral, platform, rawTcbs.get(keyText(platform)) ?? [], selection, {
        ...options,
        terms,
      })),
    );
    options.progress?.(++done, collateral.certificates.length);
  }
  return changes;
}

function documentChanges(collateral: PlatformCollateral, terms: AnswerTerms): StoreChange[] {
  const { version } = collateral;
  const changes: StoreChange[] = [];
  const checked = <R extends CollateralRequest>(request: R, answer: AnswerTo<R>, what: string) => {
    const { issued, nextUpdate } = genuine(() => checkAnswer(request, answer, terms), what);
    return { issued, nextUpdate };
  };
  if (collateral.rootCaCrl !== undefined) {
    const crl = collateral.rootCaCrl;
    const times = checked({ kind: "root-ca-crl" }, { kind: "root-ca-crl", crl }, "the root CA's CRL");
    const row = { crl, issuerChain: "", ...times };
    changes.push({ put: "root-ca-crl", crl: row });
    const url = collateral.rootCaCrlUrl;
    if (url !== undefined) changes.push({ put: "crl", url, crl: row });
  }
  for (const { fmspc, tee, update, body } of collateral.tcbInfos) {
    const key = { fmspc, tee, update, version };
    const what = `${tee} TCB info of ${fmspc}`;
    const issuerChain = present(collateral.tcbInfoChain, `${what} has no issuer chain`);
    const times = checked({ kind: "tcb-info", ...key }, { kind: "tcb-info", body, issuerChain }, what);
    changes.push({ put: "tcb-info", key, json: { body, issuerChain, ...times } });
  }
  for (const { id, update, body } of collateral.identities) {
    const key = { id, update, version };
    const issuerChain = present(collateral.identityChain, `the identity of ${id} has no issuer chain`);
    const answer = { kind: "identity", body, issuerChain } as const;
    const times = checked({ kind: "identity", ...key }, answer, `the identity of ${id}`);
    changes.push({ put: "identity", key, json: { body, issuerChain, ...times } });
  }
  return changes;
}

async function pckCrlChanges(collateral: PlatformCollateral, options: ChangesOptions): Promise<StoreChange[]> {
  const changes: StoreChange[] = [];
  for (const ca of CAS) {
    const crl = collateral.pckCrls[ca];
    if (crl === undefined) continue;
    const what = `the PCK CRL of the ${ca} CA`;
    const issuerChain = collateral.pckChains[ca] ?? (await options.knownPckChain?.(ca));
    if (issuerChain === undefined) {
      options.leftOut?.(`${what}, for which there is no issuer chain`);
      continue;
    }
    const answer = { kind: "pck-crl", crl, issuerChain } as const;
    const { issued, nextUpdate } = genuine(() => checkAnswer({ kind: "pck-crl", ca }, answer, options.terms), what);
    changes.push({ put: "pck-crl", ca, crl: { crl, issuerChain, issued, nextUpdate } });
  }
  return changes;
}

const CAS: readonly CertificationCa[] = ["processor", "platform"];

/** Intel's selection for one platform: its certificates are read at its first raw TCB. */
function selectionOf(selection: PckCertificateSelection, pceId: string): PckSelection {
  let choose: ReturnType<PckCertificateSelection["of"]> | undefined;
  return (certificates, tcbInfo, rawTcb) => {
    choose ??= selection.of(certificates, tcbInfo, pceId);
    return choose(rawTcb)?.tcbm;
  };
}

async function platformChanges(
  collateral: PlatformCollateral,
  platform: PlatformCertificates,
  posted: readonly CollateralPlatform[],
  selection: PckCertificateSelection,
  options: ChangesOptions,
): Promise<StoreChange[]> {
  const { qeId, pceId, certificates } = platform;
  const key = { qeId, pceId };
  const who = `platform ${qeId}`;
  const { fmspc, ca } = certificateFacts(collateral, platform, options.terms);
  const issuerChain = present(collateral.pckChains[ca], `${who} has certificates of the ${ca} CA, which has no chain`);
  const changes: StoreChange[] = [
    { put: "pck-chain", ca, issuerChain },
    { drop: "pck-certificates", key },
  ];
  for (const certificate of certificates) changes.push({ put: "pck-certificate", key, certificate });

  const sgx = collateral.tcbInfos.filter((info) => info.tee === "sgx" && info.fmspc === fmspc);
  const tcbInfo = sgx.find(({ update }) => update === "early") ?? sgx[0];
  const body = present(tcbInfo, `${who} is of FMSPC ${fmspc}, of which there is no SGX TCB info`).body;
  const known = (await options.knownRawTcbs?.(key)) ?? [];
  const { select = selectionOf(selection, pceId) } = options;
  for (const rawTcb of distinct([...known, ...posted.filter(({ cpuSvn, pceSvn }) => cpuSvn !== "" && pceSvn !== "")])) {
    const tcbm = await select(certificates, body, rawTcb);
    changes.push({
      put: "platform-tcb",
      key: rawTcb,
      tcbm: present(tcbm, `${who} has no certificate for CPUSVN ${rawTcb.cpuSvn}, PCESVN ${rawTcb.pceSvn}`),
    });
  }
  for (const { encryptedPpid, platformManifest } of posted) {
    changes.push({ put: "platform", platform: { ...key, encryptedPpid, platformManifest, fmspc, ca } });
  }
  return changes;
}

/** All of a platform's certificates are genuine, for the TCBm they come with, of one FMSPC, PPID and CA. */
function certificateFacts(
  { pckChains }: PlatformCollateral,
  { qeId, pceId, certificates }: PlatformCertificates,
  terms: AnswerTerms,
): { readonly fmspc: string; readonly ca: CertificationCa } {
  const what = `the PCK certificates of platform ${qeId}`;
  const first = present(certificates[0], `platform ${qeId} has no certificates`);
  return genuine(() => {
    const fmspc = toHex(readPckCertificate(first.certificate).sgx.fmspc).toUpperCase();
    let failure: unknown = new Error("there is no PCK issuer chain");
    // The chain that fits tells the CA: certificates do not come with it.
    for (const ca of CAS) {
      const issuerChain = pckChains[ca];
      if (issuerChain === undefined) continue;
      try {
        checkPckCertificates({ ca, fmspc, issuerChain, certificates }, pceId, terms);
        return { fmspc, ca };
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }, what);
}

function genuine<T>(check: () => T, what: string): T {
  try {
    return check();
  } catch (cause) {
    if (cause instanceof PlatformCollateralRefusal) throw cause;
    const why = messageOf(cause);
    throw new PlatformCollateralRefusal(460, `${what}: ${why}`, { cause });
  }
}

function present<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new PlatformCollateralRefusal(400, otherwise);
  return value;
}

function keyText({ qeId, pceId }: PlatformKey): string {
  return `${qeId}/${pceId}`;
}

function rawTcbsByPlatform(platforms: readonly CollateralPlatform[]): Map<string, CollateralPlatform[]> {
  const found = new Map<string, CollateralPlatform[]>();
  for (const platform of platforms) {
    const those = found.get(keyText(platform));
    if (those === undefined) found.set(keyText(platform), [platform]);
    else those.push(platform);
  }
  return found;
}

function distinct(rawTcbs: readonly RawTcbKey[]): RawTcbKey[] {
  const byText = rawTcbs.map(({ qeId, pceId, cpuSvn, pceSvn }) => {
    return [`${cpuSvn}/${pceSvn}`, { qeId, pceId, cpuSvn, pceSvn }] as const;
  });
  return [...new Map(byText).values()];
}
