import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
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

export interface ServerRequest extends Validity {
  /** The names that clients use; a wildcard stands for one label. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** What a common name may hold (RFC 5280 appendix A); names of services can be longer. */
const COMMON_NAME_LIMIT = 64;

/**
 * A TLS server's certificate with a new P-256 key. It never outlives its authority: `notAfter` is brought forward where
 * necessary. Throws RangeError for no name at all, Error for an authority that cannot be read.
 */
export async function issueServerCertificate(
  authority: CertifiedKey,
  request: ServerRequest,
  random: RandomBytes = randomBytes,
): Promise<CertifiedKey> {
  const { dnsNames, ipAddresses = [], notBefore } = request;
  const [firstName] = dnsNames;
  if (dnsNames.length + ipAddresses.length === 0) throw new RangeError("a server's certificate needs a name");
  const issuer = new x509.X509Certificate(authority.certificate);
  const authorityKey = createPrivateKey(authority.privateKey);
  const key = await newSigningKey();
  const publicKey = subjectPublicKeyInfo(key);
  const commonName = firstName !== undefined && firstName.length <= COMMON_NAME_LIMIT ? firstName : undefined;
  const notAfter = new Date(
    Math.min(request.notAfter.getTime(), new X509Certificate(authority.certificate).validToDate.getTime()),
  );
  const certificate = await sign(
    {
      serialNumber: newSerialNumber(random),
      issuer: issuer.subjectName,
      subject: nameOf(commonName),
      notBefore,
      notAfter,
      publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        // Critical where it alone says who the subject is (RFC 5280 §4.2.1.6).
        new x509.SubjectAlternativeNameExtension(
          [
            ...dnsNames.map((value) => ({ type: "dns" as const, value })),
            ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
          ],
          commonName === undefined,
        ),
        new x509.SubjectKeyIdentifierExtension(keyIdentifier(publicKey)),
        new x509.AuthorityKeyIdentifierExtension(keyIdentifier(subjectPublicKeyInfo(authorityKey))),
      ],
    },
    authorityKey,
  );
  return { certificate, privateKey: key.export({ type: "pkcs8", format: "pem" }).toString() };
}
