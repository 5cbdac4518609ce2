import { randomBytes } from "node:crypto";
import { nameOf, sign, type Validity } from "./certificate.ts";
import {
  type CertifiedKey,
  keyIdentifier,
  newSerialNumber,
  newSigningKey,
  type RandomBytes,
  subjectPublicKeyInfo,
} from "./key-pair.ts";
import { x509 } from "./x509.ts";

export interface AuthorityRequest extends Validity {
  /** At most 64 characters (RFC 5280 appendix A). */
  readonly commonName: string;
}

/**
 * A certificate authority with a new P-256 key, self-signed; it issues servers' certificates and no further authority.
 * Two of the same name are told apart by their key identifiers, so both may stand in one bundle. Throws RangeError.
 */
export async function createAuthority(
  request: AuthorityRequest,
  random: RandomBytes = randomBytes,
): Promise<CertifiedKey> {
  const { commonName, notBefore, notAfter } = request;
  if (commonName === "" || commonName.length > 64) throw new RangeError("a common name has 1 to 64 characters");
  const key = await newSigningKey();
  const publicKey = subjectPublicKeyInfo(key);
  const identifier = keyIdentifier(publicKey);
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const certificate = await sign(
    {
      serialNumber: newSerialNumber(random),
      issuer: nameOf(commonName),
      subject: nameOf(commonName),
      notBefore,
      notAfter,
      publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
        new x509.SubjectKeyIdentifierExtension(identifier),
        new x509.AuthorityKeyIdentifierExtension(identifier),
      ],
    },
    key,
  );
  return { certificate, privateKey: key.export({ type: "pkcs8", format: "pem" }).toString() };
}
