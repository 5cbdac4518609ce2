import type { KeyObject } from "node:crypto";
import { PlatformError } from "../../../errors.ts";
import type { RandomBytes } from "../../cpu/fuses.ts";
import type { AuthorityKeys, CertificateAuthority } from "../authority-record.ts";
import { COMMON_NAMES, INTERMEDIATE_YEARS, ROOT_CRL_URI, ROOT_NOT_AFTER } from "../profile.ts";
import { earlier, isoSeconds, yearsAfter } from "../timestamps.ts";
import { issueCertificate } from "./certificate.ts";
import { newPpidKey, newSigningKey, subjectPublicKeyInfo } from "./keys.ts";

/** Makes a new authority: keys, a self-signed root, and the two PCK CAs under it (spec: DCAP §8). */
export async function makeAuthority(
  now: Date,
  random: RandomBytes,
  makePpidKey: () => Promise<KeyObject> = newPpidKey,
): Promise<AuthorityKeys> {
  if (now.getTime() >= ROOT_NOT_AFTER.getTime()) {
    throw new PlatformError("ISSUER_EXPIRED", `the clock says ${isoSeconds(now)}, past the end of any certificate`);
  }
  const ppidKey = makePpidKey();
  // Awaited last; a failure before that must not leave a rejection nobody handles.
  ppidKey.catch(() => {});
  const rootKey = newSigningKey(random);
  const issue = async (
    commonName: string,
    privateKey: KeyObject,
    pathLength: number,
    notAfter: Date,
  ): Promise<CertificateAuthority> => {
    const certificate = await issueCertificate(
      {
        issuer: { commonName: COMMON_NAMES.root, privateKey: rootKey },
        commonName,
        publicKey: subjectPublicKeyInfo(privateKey),
        notBefore: now,
        notAfter,
        crlUri: ROOT_CRL_URI,
        pathLength,
      },
      random,
    );
    return { privateKey, certificate };
  };
  const until = earlier(yearsAfter(now, INTERMEDIATE_YEARS), ROOT_NOT_AFTER);
  return {
    root: await issue(COMMON_NAMES.root, rootKey, 1, ROOT_NOT_AFTER),
    platform: await issue(COMMON_NAMES.platform, newSigningKey(random), 0, until),
    processor: await issue(COMMON_NAMES.processor, newSigningKey(random), 0, until),
    tcbSigningKey: newSigningKey(random),
    ppidKey: await ppidKey,
    platformInstanceId: Buffer.from(random(16)).toString("hex"),
  };
}
