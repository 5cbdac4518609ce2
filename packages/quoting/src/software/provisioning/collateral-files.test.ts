import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { toHex } from "@confcom/sgx";
import { collateralFiles, collateralJson } from "./collateral-files.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import { TemporaryState } from "./testing/temporary-authority.ts";

test("an export is eleven files, each the collateral's own bytes", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const platform = await authority.collateral("platform");
  const processor = await authority.collateral("processor");
  const files = await collateralFiles(authority);
  const text = (name: string) => new TextDecoder().decode(files.get(name));
  const hex = (name: string) => toHex(files.get(name) as Uint8Array);
  assert.deepEqual([...files.keys()].sort(), [
    "collateral.json",
    "pck-crl-platform-issuer-chain.pem",
    "pck-crl-platform.der",
    "pck-crl-processor-issuer-chain.pem",
    "pck-crl-processor.der",
    "qe-identity-issuer-chain.pem",
    "qe-identity.json",
    "root-ca-crl.der",
    "root-ca.pem",
    "tcb-info-issuer-chain.pem",
    "tcb-info.json",
  ]);
  assert.equal(new X509Certificate(text("root-ca.pem")).toString(), authority.rootCertificatePem);
  assert.equal(hex("root-ca-crl.der"), platform.root_ca_crl);
  assert.equal(hex("pck-crl-platform.der"), platform.pck_crl);
  assert.equal(hex("pck-crl-processor.der"), processor.pck_crl);
  assert.equal(text("pck-crl-platform-issuer-chain.pem"), platform.pck_crl_issuer_chain);
  assert.equal(text("pck-crl-processor-issuer-chain.pem"), processor.pck_crl_issuer_chain);
  assert.equal(text("tcb-info-issuer-chain.pem"), platform.tcb_info_issuer_chain);
  assert.equal(text("qe-identity-issuer-chain.pem"), platform.qe_identity_issuer_chain);
  assert.equal(text("tcb-info.json"), `{"tcbInfo":${platform.tcb_info},"signature":"${platform.tcb_info_signature}"}`);
  assert.equal(
    text("qe-identity.json"),
    `{"enclaveIdentity":${platform.qe_identity},"signature":"${platform.qe_identity_signature}"}`,
  );
  assert.deepEqual(JSON.parse(text("collateral.json")), platform);
  assert.deepEqual(files.get("collateral.json"), collateralJson(platform));
});
