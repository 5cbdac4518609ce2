import { createHash } from "node:crypto";
import { type Check, expect, expectEqual } from "../check.ts";
import { p256KeyToPem } from "../openssl.ts";
import { pemBlocks, pemToDer, readQuote } from "../quote-parts.ts";
import type { Scene } from "../scene.ts";

export const opensslChain: readonly Check<Scene>[] = [
  {
    name: "openssl verifies the PCK chain and the TCB signing certificate, strictly and with all CRLs",
    deadline: 180_000,
    async run(scene) {
      const { quote, collateral } = await scene.subject();
      const { leaf, intermediate, root } = quoteChain(quote);
      const crls = [Buffer.from(collateral.root_ca_crl, "hex"), Buffer.from(collateral.pck_crl, "hex")];
      const signers = [collateral.tcb_info_issuer_chain, collateral.qe_identity_issuer_chain].map((chain) =>
        pemBlocks(chain),
      );
      for (const chain of signers) {
        expectEqual(chain.length, 2, "certificates in a signer's issuer chain");
        expect(sameCertificate(chain[1] ?? "", root), "a signer's issuer chain ends in another root than the quote's");
      }
      const certificates: [string, { certificate: string; untrusted?: string }][] = [
        ["PCK leaf", { certificate: leaf, untrusted: intermediate }],
        ["intermediate", { certificate: intermediate }],
        ["root", { certificate: root }],
        ["TCB info signer", { certificate: signers[0]?.[0] ?? "" }],
        ["QE identity signer", { certificate: signers[1]?.[0] ?? "" }],
      ];
      for (const [name, question] of certificates) {
        const refused = await scene.openssl.refusesCertificate({ ...question, root, crls });
        expect(refused === undefined, `openssl refuses the ${name}: ${refused}`);
        const text = await scene.openssl.certificateText(question.certificate);
        expect(!/O\s*=\s*Intel/.test(text), `the ${name} claims Intel as its organisation`);
      }
      const foreign = await scene.openssl.refusesCertificate({
        certificate: leaf,
        untrusted: intermediate,
        root: leaf,
        crls,
      });
      expect(foreign !== undefined, "openssl accepts the leaf without the root: this check cannot fail");
      return "leaf, intermediate, root, 2 signers; -x509_strict -crl_check_all; O is never Intel's";
    },
  },
  {
    name: "openssl verifies both CRLs' signatures, and each only under its own issuer",
    deadline: 180_000,
    async run(scene) {
      const { quote, collateral } = await scene.subject();
      const { intermediate, root } = quoteChain(quote);
      expect(
        sameCertificate(pemBlocks(collateral.pck_crl_issuer_chain)[0] ?? "", intermediate),
        "another PCK CRL issuer",
      );
      const crls: [string, string, string, string][] = [
        ["root CRL", collateral.root_ca_crl, root, intermediate],
        ["PCK CRL", collateral.pck_crl, intermediate, root],
      ];
      for (const [name, hex, issuer, other] of crls) {
        const der = Buffer.from(hex, "hex");
        const refused = await scene.openssl.refusesCrl(der, issuer);
        expect(refused === undefined, `openssl refuses the ${name}: ${refused}`);
        expect((await scene.openssl.refusesCrl(der, other)) !== undefined, `the ${name} verifies under another issuer`);
        const broken = Buffer.from(der);
        broken.writeUInt8(broken.readUInt8(broken.length - 3) ^ 1, broken.length - 3);
        expect(
          (await scene.openssl.refusesCrl(broken, issuer)) !== undefined,
          `the ${name} verifies with a flipped bit`,
        );
      }
      return "root CRL under the root, PCK CRL under its CA; flipped bits refused";
    },
  },
  {
    name: "openssl verifies every other signature: quote, QE report, TCB info, QE identity",
    deadline: 180_000,
    async run(scene) {
      const { quote, collateral } = await scene.subject();
      const parts = readQuote(quote);
      const { leaf } = quoteChain(quote);
      const key = async (chain: string) => scene.openssl.publicKey(pemBlocks(chain)[0] ?? "");
      const tcbInfo = Buffer.from(collateral.tcb_info, "utf8");
      const qeIdentity = Buffer.from(collateral.qe_identity, "utf8");
      const signatures: [string, string, Buffer, Buffer][] = [
        ["quote", p256KeyToPem(parts.attestationKey), parts.signed, parts.signature],
        ["QE report", await scene.openssl.publicKey(leaf), parts.qeReport, parts.qeReportSignature],
        [
          "TCB info",
          await key(collateral.tcb_info_issuer_chain),
          tcbInfo,
          Buffer.from(collateral.tcb_info_signature, "hex"),
        ],
        [
          "QE identity",
          await key(collateral.qe_identity_issuer_chain),
          qeIdentity,
          Buffer.from(collateral.qe_identity_signature, "hex"),
        ],
      ];
      for (const [name, publicKey, data, signature] of signatures) {
        expect(await scene.openssl.signatureHolds(publicKey, data, signature), `${name}: the signature does not hold`);
        const flipped = Buffer.from(data);
        flipped.writeUInt8(flipped.readUInt8(0) ^ 1, 0);
        expect(!(await scene.openssl.signatureHolds(publicKey, flipped, signature)), `${name}: holds for other data`);
      }
      const bound = createHash("sha256").update(parts.attestationKey).update(parts.authData).digest();
      expect(parts.qeReport.subarray(320, 352).equals(bound), "the QE report does not name the attestation key");
      return "4 signatures over their exact bytes, and the QE report names the attestation key";
    },
  },
];

function quoteChain(quote: Uint8Array): { leaf: string; intermediate: string; root: string } {
  const [leaf, intermediate, root, ...more] = readQuote(quote).chain;
  if (leaf === undefined || intermediate === undefined || root === undefined || more.length > 0) {
    throw new Error("the quote's PCK chain is not leaf, intermediate, root");
  }
  return { leaf, intermediate, root };
}

function sameCertificate(a: string, b: string): boolean {
  return pemToDer(a).equals(pemToDer(b));
}
