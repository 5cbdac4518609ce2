import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { exportPlatformCollateral } from "../../platform-collateral/index.ts";
import { openStore } from "../../store/index.ts";
import type { StoreChange } from "../../store/store.ts";
import { ManualClock, pckRequest, type SoftwarePki, softwarePki, TEST_FMSPC } from "../../testing/index.ts";
import { createCollateralService } from "../create-service.ts";
import { genuineChecks } from "../genuine-checks.ts";
import { statusOf } from "../testing/service-bench.ts";
import { PlatformImports } from "./platform-imports.ts";

/** A service in OFFLINE on a real store, which imports what stands under the root of `trusted`. */
async function importing(t: TestContext, trusted: SoftwarePki) {
  const directory = mkdtempSync(join(tmpdir(), "confcom-imports-"));
  const clock = new ManualClock();
  const store = await openStore({ stateDirectory: directory, owner: "test", clock, random: () => 0.5 });
  const imports = new PlatformImports(store, [trusted.trustedRoot]);
  const service = createCollateralService({
    store,
    mode: "OFFLINE",
    checks: genuineChecks([trusted.trustedRoot]),
    readPlatformCollateral: (json) => imports.read(json),
    clock,
    random: () => 0.5,
    sha384: () => "",
  });
  t.after(async () => {
    await service.close();
    await imports.close();
    await store.close();
    rmSync(directory, { recursive: true });
  });
  return { store, service, imports };
}

/** The PKI's platforms as one document of platform collateral. */
async function exported(t: TestContext, pki: SoftwarePki): Promise<Uint8Array> {
  const { store } = await importing(t, pki);
  const times = { issued: pki.clock.now(), nextUpdate: pki.clock.now() + 1_000_000 };
  const { body, issuerChain } = pki.tcbInfo();
  const key = { tee: "sgx", fmspc: TEST_FMSPC, version: 4, update: "standard" } as const;
  const changes: StoreChange[] = [{ put: "tcb-info", key, json: { body, issuerChain, ...times } }];
  for (const platform of pki.platforms.values()) {
    const { qeId, pceId, encryptedPpid, fmspc, ca, certificates } = platform;
    const { cpuSvn, pceSvn } = pckRequest(platform);
    changes.push(
      { put: "platform", platform: { qeId, pceId, encryptedPpid, platformManifest: "", fmspc, ca } },
      { put: "platform-tcb", key: { qeId, pceId, cpuSvn, pceSvn }, tcbm: cpuSvn + pceSvn },
      { put: "pck-chain", ca, issuerChain: certificates.issuerChain },
    );
    for (const { tcbm, certificate = "" } of certificates.certificates) {
      changes.push({ put: "pck-certificate", key: { qeId, pceId }, certificate: { tcbm, certificate } });
    }
  }
  await store.write(changes);
  const pieces: string[] = [];
  for await (const piece of exportPlatformCollateral(store, 4)) pieces.push(piece);
  return new TextEncoder().encode(pieces.join(""));
}

function fleet(count: number): SoftwarePki {
  const pki = softwarePki();
  for (let index = 0; index < count; index++) pki.addPlatform({ name: `imported ${index}` });
  return pki;
}

test("what a thread has checked is served, byte for byte", async (t) => {
  const pki = fleet(60);
  const { service } = await importing(t, pki);
  await service.putPlatformCollateral(await exported(t, pki));
  for (const platform of pki.platforms.values()) {
    assert.deepEqual((await service.get(pckRequest(platform))).answer, pki.answer(pckRequest(platform)));
  }
});

test("raw TCBs that the store has are selected for anew", async (t) => {
  const pki = fleet(1);
  const { service, store } = await importing(t, pki);
  const document = await exported(t, pki);
  await service.putPlatformCollateral(Uint8Array.from(document));
  const [platform] = pki.platforms.values();
  assert.ok(platform !== undefined);
  const lower = pckRequest(platform, platform.tcbs[1]);
  await service.get(lower);
  const before = await store.rawTcbs(platform);
  assert.equal(before.length, 2);
  await service.putPlatformCollateral(document);
  assert.deepEqual(await store.rawTcbs(platform), before);
});

test("listeners hear of every platform of an import, and of its documents", async (t) => {
  const pki = fleet(3);
  const { service } = await importing(t, pki);
  const told: StoreChange[] = [];
  service.onChange((changes) => told.push(...(changes ?? [])));
  await service.putPlatformCollateral(await exported(t, pki));
  const certificates = told.flatMap((change) =>
    "put" in change && change.put === "pck-certificate" ? [change.key.qeId] : [],
  );
  assert.deepEqual(certificates.sort(), [...pki.platforms.keys()].sort());
  assert.ok(told.some((change) => "put" in change && change.put === "tcb-info"));
  assert.ok(told.some((change) => "put" in change && change.put === "pck-chain"));
});

test("no answer waits for an import to be checked", async (t) => {
  const pki = fleet(60);
  const { service } = await importing(t, pki);
  const document = await exported(t, pki);
  await service.putPlatformCollateral(Uint8Array.from(document));
  const [platform] = pki.platforms.values();
  assert.ok(platform !== undefined);
  let under = true;
  const imported = service.putPlatformCollateral(document).finally(() => {
    under = false;
  });
  let answered = 0;
  while (under) {
    await service.get(pckRequest(platform));
    answered++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await imported;
  // On this thread the check of 180 certificates would let a handful of turns through.
  assert.ok(answered > 50, `${answered} answers while 60 platforms were imported`);
});

test("an import under another root is 460, one that is no JSON 400, and nothing is written", async (t) => {
  const pki = fleet(2);
  const { service, store } = await importing(t, softwarePki({ name: "another" }));
  const document = await exported(t, pki);
  assert.equal(await statusOf(() => service.putPlatformCollateral(document)), 460);
  assert.equal(await statusOf(() => service.putPlatformCollateral(new TextEncoder().encode('{"platforms":'))), 400);
  assert.equal(await statusOf(() => service.putPlatformCollateral(Uint8Array.of(0x22, 0xff, 0x22))), 400);
  assert.equal(await statusOf(() => service.putPlatformCollateral(new TextEncoder().encode("[]"))), 400);
  assert.deepEqual(await store.counts(), { platforms: 0, certificates: 0 });
});

test("an import under way when the service stops is 503, and so is one after it", async (t) => {
  const pki = fleet(20);
  const { service, imports } = await importing(t, pki);
  const document = await exported(t, pki);
  const cut = statusOf(() => service.putPlatformCollateral(Uint8Array.from(document)));
  await new Promise((resolve) => setImmediate(resolve));
  await imports.close();
  assert.equal(await cut, 503);
  assert.equal(await statusOf(() => service.putPlatformCollateral(document)), 503);
});
