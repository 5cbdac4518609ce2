import assert from "node:assert/strict";
import { test } from "node:test";
import * as software from "@confcom/collateral/software";
import { createAuthority } from "@confcom/kubernetes/tls-authority";
import { StateDirectory } from "@confcom/quoting";
import { CrashingFileSystem } from "@confcom/quoting/testing";
import { trustedRootFromCertificate } from "@confcom/verify";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import { FollowedService } from "./followed-service.ts";
import type { PccsTrust } from "./pccs-settings.ts";

/** What parses as a certificate and cannot be a root, as with an RSA key. */
const NOT_P256 = "a certificate of a key that is none of P-256";

async function root(name: string): Promise<PccsTrust> {
  const life = { notBefore: new Date("2026-01-01"), notAfter: new Date("2056-01-01") };
  return { rootCertificatePem: (await createAuthority({ commonName: name, ...life })).certificate, tlsCa: undefined };
}

function followed(disk = new CrashingFileSystem()) {
  const files: { trust: PccsTrust | undefined } = { trust: undefined };
  const warnings: string[] = [];
  const service = new FollowedService({
    state: StateDirectory.open("/state", disk),
    access: {
      url: "https://pccs.test:8081",
      trust: () => {
        if (files.trust === undefined) throw new Error("root-ca.pem is not there");
        return files.trust;
      },
      userToken: () => undefined,
    },
    warn: (text) => void warnings.push(text),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    software: {
      ...software,
      trustedRootFromCertificate: (pem) => {
        if (pem === NOT_P256) throw new Error("not P-256");
        return trustedRootFromCertificate(pem);
      },
    },
  });
  return { files, warnings, service, disk };
}

test("without root it is awaited; the root that comes makes what is in use outdated, once", async () => {
  const { files, warnings, service } = followed();
  const awaited = service.open();
  assert.equal(awaited.rootCertificatePem, "");
  await assert.rejects(awaited.pckChain({} as never), { code: "ISSUER_UNREACHABLE", message: /is not there/ });
  assert.equal(service.outdated(awaited), false);
  assert.equal(warnings.length, 1);
  files.trust = await root("one");
  assert.equal(service.outdated(awaited), true);
  const opened = service.open();
  assert.equal(opened.rootCertificatePem, files.trust.rootCertificatePem);
  assert.equal(service.outdated(opened), false);
  assert.equal(service.open(), opened);
});

test("files that go away, or hold what no quote can stand under, leave the authority in use", async () => {
  const { files, warnings, service } = followed();
  files.trust = await root("one");
  const opened = service.open();
  for (const broken of [undefined, { rootCertificatePem: NOT_P256, tlsCa: undefined }]) {
    files.trust = broken;
    assert.equal(service.outdated(opened), false);
    assert.equal(service.open(), opened);
  }
  assert.deepEqual(
    warnings.map((line) => line.split(": ")[1]?.split(";")[0]),
    ["root-ca.pem is not there", "not P-256"],
  );
});

test("another CA is another authority under the same root; the one before stays outdated until it is replaced", async () => {
  const { files, service } = followed();
  files.trust = await root("one");
  const first = service.open();
  files.trust = { ...files.trust, tlsCa: (await root("tls")).rootCertificatePem };
  assert.equal(service.outdated(first), true);
  const second = service.open();
  assert.notEqual(second, first);
  // A reload that failed leaves the first in use.
  assert.equal(service.outdated(first), true);
  assert.equal(service.outdated(second), false);
});

test("a start without the files goes on under the root on record, not under a service that was left", async () => {
  const { files, service, disk } = followed();
  files.trust = await root("one");
  service.open();
  assert.equal(followed(disk).service.open().rootCertificatePem, files.trust.rootCertificatePem);
  software.leaveProvisioningService(StateDirectory.open("/state", disk), () => {});
  assert.equal(followed(disk).service.open().rootCertificatePem, "");
});
