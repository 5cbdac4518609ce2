import type { CollateralAnswer } from "../../answer.ts";
import type { PckSelection, PlatformCollateral } from "../../platform-collateral/index.ts";
import type { CollateralRequest, PckCertificateRequest } from "../../request.ts";
import { pckLeafFacts } from "../pck-leaf.ts";

async function pckAnswer(
  request: PckCertificateRequest,
  file: PlatformCollateral,
  select: PckSelection,
  source: string,
): Promise<CollateralAnswer | undefined> {
  const { qeId, pceId, cpuSvn, pceSvn } = request;
  const platform = file.certificates.find((of) => of.qeId === qeId.toUpperCase() && of.pceId === pceId.toUpperCase());
  const first = platform?.certificates[0];
  if (platform === undefined || first === undefined) return undefined;
  const raw = (cpuSvn + pceSvn).toUpperCase();
  let found = platform.certificates.find(({ tcbm }) => tcbm === raw);
  if (found === undefined) {
    const { fmspc } = pckLeafFacts(first.certificate, source);
    const levels = file.tcbInfos.find((info) => info.tee === "sgx" && info.fmspc === fmspc);
    const tcbm = levels && (await select(platform.certificates, levels.body, { qeId, pceId, cpuSvn, pceSvn }));
    found = platform.certificates.find((certificate) => certificate.tcbm === tcbm);
  }
  if (found === undefined) return undefined;
  const { fmspc, ca } = pckLeafFacts(found.certificate, source);
  const issuerChain = file.pckChains[ca];
  if (issuerChain === undefined) return undefined;
  return { kind: "pck-certificate", certificate: found.certificate, issuerChain, tcbm: found.tcbm, fmspc, ca };
}

/**
 * What Intel's `platformcollateral` answers to a request, undefined if it does not have it. `select` chooses the
 * certificate for a raw TCB that has none of its own.
 */
export async function platformFileAnswer(
  request: CollateralRequest,
  file: PlatformCollateral,
  select: PckSelection,
  source: string,
): Promise<CollateralAnswer | undefined> {
  const chained = <Kind extends "tcb-info" | "identity">(kind: Kind, body?: string, issuerChain?: string) =>
    body === undefined || issuerChain === undefined ? undefined : { kind, body, issuerChain };
  switch (request.kind) {
    case "pck-certificate":
      return pckAnswer(request, file, select, source);
    case "tcb-info": {
      const { tee, update } = request;
      const fmspc = request.fmspc.toUpperCase();
      const found = file.tcbInfos.find((info) => info.fmspc === fmspc && info.tee === tee && info.update === update);
      return request.version === file.version ? chained("tcb-info", found?.body, file.tcbInfoChain) : undefined;
    }
    case "identity": {
      const found = file.identities.find(({ id, update }) => id === request.id && update === request.update);
      return chained("identity", found?.body, file.identityChain);
    }
    case "pck-crl": {
      const crl = file.pckCrls[request.ca];
      const issuerChain = file.pckChains[request.ca];
      return crl === undefined || issuerChain === undefined ? undefined : { kind: "pck-crl", crl, issuerChain };
    }
    case "root-ca-crl":
      return file.rootCaCrl && { kind: "root-ca-crl", crl: file.rootCaCrl };
    case "crl":
      return request.url === file.rootCaCrlUrl && file.rootCaCrl ? { kind: "crl", crl: file.rootCaCrl } : undefined;
  }
}
