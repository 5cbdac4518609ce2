import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "@confcom/sgx";
import { DER_TAG, derElement, derOid, derSequence } from "@confcom/sgx/der";
import { nodeCrypto } from "../node-crypto.ts";
import { type CertificateRole, sign, unsign } from "../testing/forge.ts";
import { derNodes, replaceNode } from "../testing/mutations/der.ts";
import { realSubjects } from "../testing/subject.ts";
import { verifyQuote } from "../verifier.ts";

const [real] = realSubjects();
assert.ok(real);
const unsigned = unsign(real);

/** The status of the quote when one certificate is changed and everything signed again. */
function statusWith(role: CertificateRole, change: (toBeSigned: Uint8Array) => Uint8Array): string {
  const certificates = { ...unsigned.certificates, [role]: change(unsigned.certificates[role]) };
  const { quote, collateral, now, trustedRoot } = sign({ ...unsigned, certificates });
  return verifyQuote(quote, collateral, { now, trustedRoots: [trustedRoot], crypto: nodeCrypto }).status;
}

function withKeyAlgorithm(...algorithm: readonly Uint8Array[]) {
  return (toBeSigned: Uint8Array): Uint8Array => {
    // SubjectPublicKeyInfo is the seventh element, its algorithm the first in it.
    const node = derNodes(toBeSigned)[0]?.children[6]?.children[0];
    assert.ok(node);
    return replaceNode(node, derSequence(...algorithm));
  };
}

const EC = derOid("1.2.840.10045.2.1");
const P256 = derOid("1.2.840.10045.3.1.7");
const ROLES: readonly CertificateRole[] = ["root", "intermediate", "pck", "tcbSigning"];

test("a certificate says that its key is on P-256, in one way; a key that says anything else is refused", () => {
  for (const role of ROLES) {
    assert.equal(statusWith(role, withKeyAlgorithm(EC, P256)), "STATUS_TCB_SW_HARDENING_NEEDED", role);
    for (const other of [
      [EC],
      [EC, derOid("1.3.132.0.34")],
      [derOid("1.2.840.113549.1.1.1"), derElement(DER_TAG.NULL)],
      [EC, P256, derElement(DER_TAG.NULL)],
      [concatBytes(P256, EC)],
    ]) {
      assert.equal(statusWith(role, withKeyAlgorithm(...other)), "STATUS_UNSUPPORTED_CERT_FORMAT", role);
    }
  }
});
