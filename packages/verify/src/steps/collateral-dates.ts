import type { QeIdentity } from "../collateral/qe-identity.ts";
import type { TcbInfo } from "../collateral/tcb-info.ts";
import type { CertificateChain } from "../x509/chain.ts";
import type { Crl } from "../x509/crl.ts";

/** Seconds since 1970, over everything a verification uses (spec: DCAP §10 A 4). */
export interface CollateralDates {
  readonly earliestIssueDate: number;
  readonly latestIssueDate: number;
  readonly earliestExpirationDate: number;
  readonly latestExpirationDate: number;
  /** The same over the QE identity's issuer chain alone, which is what the reference verifier calls QE identity dates. */
  readonly qeIdentityEarliestIssueDate: number;
  readonly qeIdentityLatestIssueDate: number;
  readonly qeIdentityEarliestExpirationDate: number;
}

export interface DatedCollateral {
  readonly rootCaCrl: Crl;
  readonly pckCrl: Crl;
  readonly pckCrlIssuerChain: CertificateChain;
  readonly pckChain: CertificateChain;
  readonly tcbInfoIssuerChain: CertificateChain;
  readonly qeIdentityIssuerChain: CertificateChain;
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
}

export function collateralDates(collateral: DatedCollateral): CollateralDates {
  const { rootCaCrl, pckCrl, tcbInfo, qeIdentity } = collateral;
  const issued = [rootCaCrl.thisUpdate, pckCrl.thisUpdate, tcbInfo.issueDate, qeIdentity.issueDate];
  const expires = [rootCaCrl.nextUpdate, pckCrl.nextUpdate, tcbInfo.nextUpdate, qeIdentity.nextUpdate];
  const chains = [collateral.pckCrlIssuerChain, collateral.pckChain, collateral.tcbInfoIssuerChain];
  const qe = collateral.qeIdentityIssuerChain.certificates;
  for (const { certificates } of [...chains, collateral.qeIdentityIssuerChain]) {
    for (const { notBefore, notAfter } of certificates) {
      issued.push(notBefore);
      expires.push(notAfter);
    }
  }
  return {
    earliestIssueDate: Math.min(...issued),
    latestIssueDate: Math.max(...issued),
    earliestExpirationDate: Math.min(...expires),
    latestExpirationDate: Math.max(...expires),
    qeIdentityEarliestIssueDate: Math.min(...qe.map(({ notBefore }) => notBefore)),
    qeIdentityLatestIssueDate: Math.max(...qe.map(({ notBefore }) => notBefore)),
    qeIdentityEarliestExpirationDate: Math.min(...qe.map(({ notAfter }) => notAfter)),
  };
}
