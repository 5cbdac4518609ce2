import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { effectiveConfiguration } from "@confcom/collateral/configuration";
import { fakeService, ManualClock, pckRequest, softwarePki } from "@confcom/collateral/testing";
import { configuredSources } from "./configured-sources.ts";

const { signal } = new AbortController();

test("Azure's agent that failed is asked once, and not again before half a minute is over; the cache is asked meanwhile", async (t) => {
  let asked = 0;
  let up = false;
  const pki = softwarePki();
  const platform = pki.addPlatform();
  const cache = await fakeService({ pki, form: "thim" });
  const agent = createServer((request, reply) => {
    asked++;
    if (!up) return reply.writeHead(503).end();
    const target = `${cache.origin}${request.url}`;
    return void fetch(target).then(async (answer) => reply.writeHead(200).end(await answer.text()));
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  const base = (port: number) => `http://127.0.0.1:${port}/metadata/THIM/sgx/certification`;
  const clock = new ManualClock();
  const configuration = effectiveConfiguration({
    flags: {},
    env: {
      AZDCAP_PRIMARY_BASE_CERT_URL: base((agent.address() as AddressInfo).port),
      AZDCAP_SECONDARY_BASE_CERT_URL: base(Number(new URL(cache.origin).port)),
    },
    readFile: () => undefined,
  });
  const { sources, close } = configuredSources(configuration, clock);
  t.after(async () => {
    close();
    agent.close();
    agent.closeAllConnections();
    await cache.close();
  });
  const [primary, secondary] = sources;
  assert.ok(primary !== undefined && secondary !== undefined);
  const request = pckRequest(platform);

  await assert.rejects(primary.fetch(request, { signal }), { code: "SOURCE_BUSY" });
  assert.equal((await secondary.fetch(request, { signal })).answer.fmspc, platform.fmspc);
  up = true;
  clock.set(clock.now() + 29_000);
  await assert.rejects(primary.fetch(request, { signal }), { code: "SOURCE_SUSPENDED" });
  assert.equal(asked, 1);
  clock.set(clock.now() + 9_000);
  assert.equal((await primary.fetch(request, { signal })).answer.fmspc, platform.fmspc);
  assert.equal(asked, 2);
});
