import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fakeService, ManualClock, type SoftwarePki, softwarePki } from "@confcom/collateral/testing";
import { pino } from "pino";
import { openUpstream, type UpstreamOptions } from "./upstream.ts";

test("an upstream under a root of one's own: that root's CRL is fetched from where the root says, not from Intel", async () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-upstream-"));
  const clock = new ManualClock();
  let pki: SoftwarePki | undefined;
  const service = await fakeService({
    get pki() {
      pki ??= softwarePki({ clock, crlBase: service.origin });
      return pki;
    },
  });
  try {
    const root = join(directory, "root.pem");
    pki = softwarePki({ clock, crlBase: service.origin });
    writeFileSync(root, pki.rootPem);
    // As a provisioning service has none.
    service.fail({ kind: "status", status: 404 }, { path: "/rootcacrl" });
    const options = { upstreamRoot: [root], upstreamCa: undefined, apiKeyFile: undefined, stateDirectory: directory };
    const upstream = await openUpstream({ ...options, upstream: service.base }, clock, pino({ enabled: false }));
    try {
      const { signal } = new AbortController();
      const fetched = await upstream.source?.fetch({ kind: "root-ca-crl" }, { signal });
      assert.ok(fetched && Buffer.from(fetched.answer.crl).equals(pki.crl("root")));
      assert.equal(service.count("/IntelSGXRootCA.der"), 1);
      assert.deepEqual(upstream.trustedRoots, [pki.trustedRoot]);
      assert.ok(upstream.crlHosts.includes(service.origin));
    } finally {
      upstream.close();
    }
  } finally {
    await service.close();
    rmSync(directory, { recursive: true });
  }
});

test("a root, CA or key that cannot be read is said at the start, with the option that names it", async () => {
  const options = {
    upstream: "https://pcs.example/",
    upstreamRoot: undefined,
    upstreamCa: undefined,
    apiKeyFile: undefined,
  };
  const clock = new ManualClock();
  const log = pino({ enabled: false });
  const opened = (more: Partial<UpstreamOptions>) =>
    openUpstream({ ...options, stateDirectory: "", ...more }, clock, log);
  await assert.rejects(opened({ upstreamRoot: ["/nowhere/root.pem"] }), /--upstream-root \/nowhere\/root\.pem: ENOENT/);
  await assert.rejects(opened({ upstreamCa: "/nowhere/ca.pem" }), /--upstream-ca \/nowhere\/ca\.pem: ENOENT/);
  await assert.rejects(opened({ apiKeyFile: "/nowhere/key" }), /--api-key-file \/nowhere\/key: ENOENT/);
});

test("behind another PCCS the root's CRL comes from there, and all else does too", async () => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-upstream-"));
  const clock = new ManualClock();
  // Distribution points that nobody can reach.
  const pki = softwarePki({ clock });
  const service = await fakeService({ pki, form: "pccs" });
  try {
    const root = join(directory, "root.pem");
    writeFileSync(root, pki.rootPem);
    const options = { upstreamRoot: [root], upstreamCa: undefined, apiKeyFile: undefined, stateDirectory: directory };
    const upstream = await openUpstream({ ...options, upstream: service.base }, clock, pino({ enabled: false }));
    const { signal } = new AbortController();
    const crl = await upstream.source?.fetch({ kind: "root-ca-crl" }, { signal });
    assert.ok(crl && Buffer.from(crl.answer.crl).equals(pki.crl("root")));
    const identity = { kind: "identity", id: "QE", update: "standard", version: 4 } as const;
    assert.equal((await upstream.source?.fetch(identity, { signal }))?.answer.body, pki.identity().body);
    upstream.close();
  } finally {
    await service.close();
    rmSync(directory, { recursive: true });
  }
});
