import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createCertificate, createPki, nodeCertificates } from "./pki.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-pki-"));
const certificate = (name: string) => new X509Certificate(readFileSync(join(directory, `${name}.crt`)));

before(async () => {
  await createPki(directory);
  await Promise.all(nodeCertificates("sgx-1", "10.10.0.11").map((request) => createCertificate(directory, request)));
});
after(() => rmSync(directory, { recursive: true }));

test("a kubelet is system:node:NAME of the group system:nodes, which is what the node authorizer goes by", () => {
  assert.equal(certificate("kubelet-sgx-1").subject, "O=system:nodes\nCN=system:node:sgx-1");
});

test("the administrator is of the group that may do everything", () => {
  assert.equal(certificate("admin").subject, "O=system:masters\nCN=admin");
});

test("every certificate is signed by the authority and is none itself", () => {
  const authority = certificate("ca");
  assert.equal(authority.ca, true);
  for (const name of ["apiserver", "admin", "controller-manager", "scheduler", "kube-proxy", "kubelet-sgx-1"]) {
    assert.equal(certificate(name).verify(authority.publicKey), true, name);
    assert.equal(certificate(name).ca, false, name);
  }
});

test("servers are named as their clients call them", () => {
  assert.equal(certificate("apiserver").checkIP("10.96.0.1"), "10.96.0.1");
  assert.equal(certificate("apiserver").checkHost("kubernetes.default.svc"), "kubernetes.default.svc");
  assert.equal(certificate("kubelet-server-sgx-1").checkIP("10.10.0.11"), "10.10.0.11");
  assert.equal(certificate("kubelet-sgx-1").subjectAltName, undefined);
});

test("keys are their owner's alone", () => {
  for (const name of ["ca", "admin", "service-accounts"]) {
    assert.equal(statSync(join(directory, `${name}.key`)).mode & 0o077, 0, name);
  }
});
