import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { trustedRootFromCertificate } from "@confcom/verify";
import { selectPckCertificate } from "../pck-selection/index.ts";
import type { CollateralRequest, TcbInfoRequest } from "../request.ts";
import { openTestUpstream, TestPlatform } from "../software/testing/software-keys.ts";
import { checkAnswer, checkPckCertificates } from "./index.ts";

const OPTIONS = { signal: new AbortController().signal };

test("what the software platform's provisioning service answers passes the checks, and selection finds each certificate", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-check-software-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const upstream = await openTestUpstream(join(directory, "software-authority"));
  const trustedRoots = [trustedRootFromCertificate(upstream.rootCertificatePem)];
  const { answer: root } = await upstream.fetch({ kind: "root-ca-crl" }, OPTIONS);
  const terms = { trustedRoots, rootCaCrl: root.crl };
  const tcbInfo: TcbInfoRequest = {
    kind: "tcb-info",
    tee: "sgx",
    fmspc: "C0FC0A000000",
    update: "standard",
    version: 4,
  };
  const requests: CollateralRequest[] = [
    { kind: "root-ca-crl" },
    { kind: "pck-crl", ca: "platform" },
    { kind: "pck-crl", ca: "processor" },
    tcbInfo,
    { ...tcbInfo, version: 3 },
    { kind: "identity", id: "QE", update: "standard", version: 4 },
  ];
  for (const request of requests) {
    const { answer } = await upstream.fetch(request, OPTIONS);
    const { issued, nextUpdate } = checkAnswer(request, answer, terms);
    assert.ok(issued < nextUpdate);
  }
  const platform = new TestPlatform(1, { default: "d", upgraded: "u", downgraded: "o" });
  const set = await upstream.pckCertificates({ platformManifest: platform.manifest }, "0000", OPTIONS);
  assert.deepEqual(checkPckCertificates(set, "0000", terms).ppid, platform.ppid);
  const { answer } = await upstream.fetch(tcbInfo, OPTIONS);
  const certificates = set.certificates.map(({ tcbm, certificate }) => ({ tcbm, certificate: certificate ?? "" }));
  assert.equal(certificates.length, 3);
  for (const { tcbm, certificate } of certificates) {
    const raw = { cpuSvn: tcbm.slice(0, 32), pceSvn: tcbm.slice(32), pceId: "0000" };
    const selected = selectPckCertificate(certificates, answer.body, raw);
    assert.deepEqual(selected, { certificate: { tcbm, certificate }, tcbm });
  }
});
