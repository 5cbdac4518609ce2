import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { decodePckExtension, fromHex, toHex } from "@confcom/sgx";
import { DER_TAG, derBoolean, derElement, derInteger, derOctetString, derOid, derSequence } from "@confcom/sgx/der";
import fc from "fast-check";
import { openProvisioningAuthority } from "../open-authority.ts";
import {
  type ProfileCertificate,
  profileCertificate,
  SIGNATURE_ALGORITHM_DER,
  signedParts,
} from "../testing/profile-der.ts";
import { PCK_KEY, pckRequest, pemCertificates, TemporaryState } from "../testing/temporary-authority.ts";
import { newSerialNumber } from "./keys.ts";

const DEFAULT_CPUSVN = [72, 32, 243, 55, 106, 230, 178, 242, 3, 77, 59, 122, 75, 72, 167, 120];
const ROOT_CRL = "https://confcom.invalid/root.der";
const PCK_CRL = "https://confcom.invalid/sgx/certification/v4/pckcrl?ca=platform&encoding=der";

/** The SGX extension's value with the seven elements of the Platform CA, in order, TCB components by their INTEGERs. */
function sgxExtension(components: readonly number[], platformInstanceId: Uint8Array): Uint8Array {
  const element = (suffix: string, value: Uint8Array) => derSequence(derOid(`1.2.840.113741.1.13.1.${suffix}`), value);
  return derSequence(
    element("1", derOctetString(fromHex("101112131415161718191a1b1c1d1e1f"))),
    element(
      "2",
      derSequence(
        ...components.map((svn, i) => element(`2.${i + 1}`, derInteger(svn))),
        element("2.17", derInteger(16)),
        element("2.18", derOctetString(Uint8Array.from(components))),
      ),
    ),
    element("3", derOctetString(fromHex("0000"))),
    element("4", derOctetString(fromHex("c0fc0a000000"))),
    element("5", derElement(DER_TAG.ENUMERATED, Uint8Array.of(1))),
    element("6", derOctetString(platformInstanceId)),
    element(
      "7",
      derSequence(
        element("7.1", derBoolean(false)),
        element("7.2", derBoolean(false)),
        element("7.3", derBoolean(false)),
      ),
    ),
  );
}

/** What the 16-byte Platform Instance ID of a leaf is: found by the identifier in front of it. */
function platformInstanceIdIn(leaf: X509Certificate): Uint8Array {
  const at = leaf.raw.indexOf(Buffer.from("060a2a864886f84d010d01060410", "hex")) + 14;
  return Uint8Array.from(leaf.raw.subarray(at, at + 16));
}

const spkiOf = (certificate: X509Certificate) =>
  new Uint8Array(certificate.publicKey.export({ type: "spki", format: "der" }));

function assertProfile(
  certificate: X509Certificate,
  issuer: X509Certificate,
  profile: Omit<ProfileCertificate, "serial" | "spki" | "issuerSpki" | "notBefore">,
): void {
  const { tbs, algorithm, signature } = signedParts(certificate.raw);
  const expected = profileCertificate({
    ...profile,
    serial: certificate.serialNumber,
    notBefore: "260304050607Z",
    spki: spkiOf(certificate),
    issuerSpki: spkiOf(issuer),
  });
  assert.equal(toHex(tbs), toHex(expected), profile.subject);
  assert.deepEqual(Uint8Array.from(algorithm), SIGNATURE_ALGORITHM_DER);
  assert.ok(verify("sha256", tbs, issuer.publicKey, signature), `${profile.subject}: signature`);
}

test("every certificate is, byte for byte, the profile: names, order, string types, extensions, validity", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { chainPem } = await authority.pckChain(pckRequest());
  const collateral = await authority.collateral();
  const processor = await authority.collateral("processor");
  const parse = (pem: string | undefined) => new X509Certificate(pem ?? "");
  const [leaf, platformCa, root] = pemCertificates(chainPem).map(parse) as [
    X509Certificate,
    X509Certificate,
    X509Certificate,
  ];
  const processorCa = parse(pemCertificates(processor.pck_crl_issuer_chain)[0]);
  const tcbSigning = parse(pemCertificates(collateral.tcb_info_issuer_chain)[0]);

  assertProfile(root, root, {
    issuer: "Confcom Software SGX Root CA",
    subject: "Confcom Software SGX Root CA",
    notAfter: "491231235959Z",
    crlUri: ROOT_CRL,
    pathLength: 1,
  });
  for (const [certificate, type] of [
    [platformCa, "Platform"],
    [processorCa, "Processor"],
  ] as const) {
    assertProfile(certificate, root, {
      issuer: "Confcom Software SGX Root CA",
      subject: `Confcom Software SGX PCK ${type} CA`,
      notAfter: "410304050607Z",
      crlUri: ROOT_CRL,
      pathLength: 0,
    });
  }
  assertProfile(tcbSigning, root, {
    issuer: "Confcom Software SGX Root CA",
    subject: "Confcom Software SGX TCB Signing",
    notAfter: "330304050607Z",
    crlUri: ROOT_CRL,
  });
  assertProfile(leaf, platformCa, {
    issuer: "Confcom Software SGX PCK Platform CA",
    subject: "Confcom Software SGX PCK Certificate",
    notAfter: "330304050607Z",
    crlUri: PCK_CRL,
    further: [
      ["1.2.840.113741.1.13.1", sgxExtension(DEFAULT_CPUSVN, platformInstanceIdIn(leaf))],
      [
        "1.2.840.113556.1.8000.2554.11351.25377.48023.16970.40088.7580455.4613232",
        fromHex(`0c2b${Buffer.from("confcom software platform: not SGX hardware").toString("hex")}`),
      ],
    ],
  });
  assert.equal(toHex(spkiOf(leaf).subarray(-64)), toHex(PCK_KEY.publicPoint));
});

test("the SGX extension names platform, TCB and key as asked, and one platform instance in every certificate", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const instances = new Set<string>();
  for (const name of ["default", "upgraded", "downgraded"] as const) {
    const request = pckRequest(name);
    const { chainPem, cpuSvn, pceSvn } = await authority.pckChain(request);
    const leaf = new X509Certificate(chainPem);
    const instance = platformInstanceIdIn(leaf);
    instances.add(toHex(instance));
    const value = sgxExtension([...request.cpuSvn], instance);
    assert.ok(leaf.raw.includes(value));
    const decoded = decodePckExtension(value);
    assert.deepEqual(decoded.tcb, { components: request.cpuSvn, pceSvn: 16, cpuSvn: request.cpuSvn });
    assert.deepEqual([cpuSvn, pceSvn], [request.cpuSvn, 16]);
  }
  assert.equal(instances.size, 1);
});

test("no name says Intel, in any certificate", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { chainPem } = await authority.pckChain(pckRequest());
  const { pck_crl_issuer_chain } = await authority.collateral("processor");
  const { tcb_info_issuer_chain } = await authority.collateral();
  const certificates = pemCertificates(chainPem + pck_crl_issuer_chain + tcb_info_issuer_chain);
  assert.equal(certificates.length, 7);
  for (const pem of certificates) {
    const { raw, subject, issuer } = new X509Certificate(pem);
    assert.doesNotMatch(raw.toString("latin1"), /intel/i);
    for (const name of [subject, issuer]) assert.match(name, /^O=confcom$/m);
  }
});

test("PEM is what the PCS serves: lines of 64, one certificate after the other, a line feed at the end", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { chainPem } = await authority.pckChain(pckRequest());
  assert.equal(pemCertificates(chainPem).join(""), chainPem);
  assert.ok(!chainPem.includes("\0"));
  for (const line of chainPem.trimEnd().split("\n")) assert.ok(line.length <= 64, line);
});

test("a serial number is positive and exactly 20 bytes whatever the random bytes are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      assert.match(
        newSerialNumber(() => bytes),
        /^[4-7][0-9a-f]{39}$/,
      );
    }),
  );
});
