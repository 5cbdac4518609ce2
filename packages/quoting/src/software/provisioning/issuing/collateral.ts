import { toHex } from "@confcom/sgx";
import type { RandomBytes } from "../../cpu/fuses.ts";
import type { QeIdentityFacts } from "../../provisioning-authority.ts";
import type { AuthorityKeys } from "../authority-record.ts";
import {
  COLLATERAL_LIFE_MS,
  COMMON_NAMES,
  LEAF_YEARS,
  ROOT_CRL_LIFE_MS,
  ROOT_CRL_URI,
  ROOT_NOT_AFTER,
} from "../profile.ts";
import { qeIdentityText } from "../qe-identity.ts";
import type { CrlIssuer, RevocationState } from "../revocation-state.ts";
import { outlivesRenewal, type SignedCollateral } from "../signed-collateral.ts";
import { signText } from "../signed-text.ts";
import { tcbInfoText } from "../tcb-info.ts";
import { earlier, isoSeconds, wholeSecond, yearsAfter } from "../timestamps.ts";
import { issueCertificate } from "./certificate.ts";
import { subjectPublicKeyInfo } from "./keys.ts";
import { signRevocationList } from "./revocation-list.ts";

/**
 * Signs the three CRLs, the TCB info and the QE identity anew (spec: DCAP §8, §9). The TCB signing certificate of
 * `previous` is kept while it is of this authority and not about to expire.
 */
export async function signCollateral(
  keys: AuthorityKeys,
  revocations: RevocationState,
  qe: QeIdentityFacts,
  previous: SignedCollateral | undefined,
  now: Date,
  random: RandomBytes,
): Promise<SignedCollateral> {
  const issued = wholeSecond(now);
  const crl = async (issuer: CrlIssuer, lifeMs: number): Promise<string> => {
    const { number, revoked } = revocations[issuer];
    const signer = { commonName: COMMON_NAMES[issuer], privateKey: keys[issuer].privateKey };
    return toHex(await signRevocationList(signer, number, revoked, issued, new Date(issued.getTime() + lifeMs)));
  };
  const evaluation = revocations.tcbEvaluationDataNumber;
  const tcbInfo = tcbInfoText(issued, evaluation);
  const qeIdentity = qeIdentityText(qe, issued, evaluation);
  const kept = previous?.rootCertificate === keys.root.certificate ? previous.tcbSigningCertificate : undefined;
  return {
    rootCertificate: keys.root.certificate,
    issued: isoSeconds(issued),
    tcbSigningCertificate:
      kept !== undefined && outlivesRenewal(kept, now) ? kept : await issueTcbSigning(keys, issued, random),
    crls: {
      root: await crl("root", ROOT_CRL_LIFE_MS),
      platform: await crl("platform", COLLATERAL_LIFE_MS),
      processor: await crl("processor", COLLATERAL_LIFE_MS),
    },
    crlNumbers: {
      root: revocations.root.number,
      platform: revocations.platform.number,
      processor: revocations.processor.number,
    },
    tcbInfo,
    tcbInfoSignature: signText(keys.tcbSigningKey, tcbInfo),
    qeIdentity,
    qeIdentitySignature: signText(keys.tcbSigningKey, qeIdentity),
  };
}

function issueTcbSigning(keys: AuthorityKeys, notBefore: Date, random: RandomBytes): Promise<string> {
  return issueCertificate(
    {
      issuer: { commonName: COMMON_NAMES.root, privateKey: keys.root.privateKey },
      commonName: COMMON_NAMES.tcbSigning,
      publicKey: subjectPublicKeyInfo(keys.tcbSigningKey),
      notBefore,
      notAfter: earlier(yearsAfter(notBefore, LEAF_YEARS), ROOT_NOT_AFTER),
      crlUri: ROOT_CRL_URI,
      pathLength: undefined,
    },
    random,
  );
}
