import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CollateralRequest } from "../../request.ts";
import type { StoreChange } from "../../store/store.ts";
import { EndpointFigures } from "./figures.ts";
import { textResponse } from "./response.ts";
import { ResponseCache } from "./response-cache.ts";
import { serve, V4 } from "./testing/served.ts";
import { PEM_CHAIN, served200 } from "./testing/service-double.ts";

const FIGURES = new EndpointFigures("tcb");
const LATER = Number.MAX_SAFE_INTEGER;
const platform = (qeId: string) => ({ qeId, pceId: "0000" });
const pck = (qeId: string): CollateralRequest => ({
  kind: "pck-certificate",
  ...platform(qeId),
  cpuSvn: "00",
  pceSvn: "0D00",
});
const times = { issued: 0, nextUpdate: 0 };

function keep(cache: ResponseCache, request: CollateralRequest, url: string, until = LATER): void {
  const entry = cache.begin(request, url, "/path", FIGURES);
  cache.keep(entry, textResponse(200), url, until, request.kind === "pck-certificate" ? PEM_CHAIN : undefined);
}

test("a response is found by its URL until its time is over", () => {
  const cache = new ResponseCache(1e6);
  keep(cache, pck("AA"), "/a", 100);
  assert.equal(cache.byUrl("/a", 99)?.representation, "/a");
  assert.equal(cache.byUrl("/a", 100), undefined);
  assert.equal(cache.entries, 0);
  assert.equal(cache.bytes, 0);
});

test("the encrypted PPID is no part of the key where it has its length, and all of it where not", () => {
  const cache = new ResponseCache(1e6);
  const url = (ppid: string) => `/p?qeid=AA&encrypted_ppid=${ppid}&x=1`;
  keep(cache, pck("AA"), url("00".repeat(384)));
  assert.ok(cache.byUrl(url("ab".repeat(384)), 0));
  for (const other of ["", "00", "00".repeat(383), `${"00".repeat(384)}0`, `${"00".repeat(383)}&0`]) {
    assert.equal(cache.byUrl(url(other), 0), undefined, other.slice(0, 4));
  }
  assert.equal(cache.byUrl(url("00".repeat(384)).replace("&encrypted", "&xencrypted"), 0), undefined);
});

const CHANGES: readonly (readonly [StoreChange, readonly string[]])[] = [
  [{ put: "platform-tcb", key: { ...platform("AA"), cpuSvn: "00", pceSvn: "0D00" }, tcbm: "" }, ["/pck/AA"]],
  [{ drop: "pck-certificates", key: platform("BB") }, ["/pck/BB"]],
  [{ put: "pck-chain", ca: "platform", issuerChain: "another" }, ["/pck/AA", "/pck/BB"]],
  [{ put: "pck-chain", ca: "platform", issuerChain: PEM_CHAIN }, []],
  [
    { put: "pck-crl", ca: "processor", crl: { ...times, crl: new Uint8Array(), issuerChain: "" } },
    ["/pckcrl", "/rootcacrl"],
  ],
  [{ put: "root-ca-crl", crl: { ...times, crl: new Uint8Array(), issuerChain: "" } }, ["/rootcacrl"]],
  [{ put: "crl", url: "https://x", crl: { ...times, crl: new Uint8Array(), issuerChain: "" } }, ["/crl"]],
  [
    {
      put: "tcb-info",
      key: { tee: "sgx", fmspc: "F", version: 4, update: "early" },
      json: { ...times, body: "", issuerChain: "" },
    },
    ["/tcb"],
  ],
  [
    { put: "identity", key: { id: "QE", version: 3, update: "early" }, json: { ...times, body: "", issuerChain: "" } },
    [],
  ],
];
for (const [change, gone] of CHANGES) {
  test(`${"put" in change ? change.put : `drop of ${change.drop}`} of the store: ${gone.join(", ") || "nothing"} goes`, () => {
    const cache = new ResponseCache(1e6);
    const all = ["/pck/AA", "/pck/BB", "/pckcrl", "/rootcacrl", "/crl", "/tcb", "/qe"];
    keep(cache, pck("AA"), "/pck/AA");
    keep(cache, pck("BB"), "/pck/BB");
    keep(cache, { kind: "pck-crl", ca: "processor" }, "/pckcrl");
    keep(cache, { kind: "root-ca-crl" }, "/rootcacrl");
    keep(cache, { kind: "crl", url: "https://x" }, "/crl");
    keep(cache, { kind: "tcb-info", tee: "sgx", fmspc: "F", version: 4, update: "early" }, "/tcb");
    keep(cache, { kind: "identity", id: "QE", version: 4, update: "early" }, "/qe");
    cache.forget([change]);
    assert.deepEqual(
      all.filter((url) => cache.byUrl(url, 0) === undefined),
      gone,
    );
  });
}

test("what changes while the service is asked is not kept", () => {
  for (const changes of [undefined, [{ drop: "pck-certificates", key: platform("AA") }]] as const) {
    const cache = new ResponseCache(1e6);
    const entry = cache.begin(pck("AA"), "AA", "/path", FIGURES);
    cache.forget(changes);
    cache.keep(entry, textResponse(200), "/a", LATER, PEM_CHAIN);
    assert.equal(cache.byUrl("/a", 0), undefined);
    assert.equal(cache.bytes, 0);
  }
});

test("at most four URLs lead to one response", () => {
  const cache = new ResponseCache(1e6);
  keep(cache, pck("AA"), "/a");
  const bytes = cache.bytes;
  for (let count = 0; count < 1000; count++) cache.byRepresentation("/a", `/a?x=${count}`, 0);
  const found = Array.from({ length: 1000 }, (_, count) => cache.byUrl(`/a?x=${count}`, 0)).filter(Boolean);
  assert.equal(found.length, 3);
  assert.ok(cache.bytes < bytes + 100);
});

test("what is asked for again and again stays while others come and go", () => {
  const cache = new ResponseCache(20_000);
  keep(cache, pck("HOT"), "/hot");
  for (let count = 0; count < 1000; count++) {
    keep(cache, pck(`Q${count}`), `/${count}`);
    assert.ok(cache.byUrl("/hot", 0), `after ${count}`);
    assert.ok(cache.bytes <= 20_000);
  }
  assert.ok(cache.entries > 10);
});

test("however it is used, its size is bounded and comes back to nothing", () => {
  const step = fc.tuple(fc.constantFrom("keep", "get", "alias", "change", "expire"), fc.nat(9));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = new ResponseCache(8000);
      let now = 0;
      for (const [what, which] of steps) {
        now++;
        if (what === "keep") keep(cache, pck(`${which}`), `/${which}`, now + 50);
        if (what === "get") cache.byUrl(`/${which}`, now);
        if (what === "alias") cache.byRepresentation(`/${which}`, `/${which}?${now}`, now);
        if (what === "change") cache.forget([{ drop: "pck-certificates", key: platform(`${which}`) }]);
        if (what === "expire") now += 30;
        assert.ok(cache.bytes <= 8000 && cache.bytes >= 0);
      }
      for (let which = 0; which < 10; which++) {
        cache.forget([{ drop: "pck-certificates", key: platform(`${which}`) }]);
      }
      assert.deepEqual([cache.entries, cache.bytes], [0, 0]);
    }),
  );
});

test("the server asks again when the store says so, and when the answer's time is over", async (t) => {
  const { ask, service, clock } = await serve(t);
  const url = `${V4}/tcb?fmspc=00606a000000`;
  service.onGet = (request) => ({ ...served200(request), until: clock.now() + 1000 });
  await ask("GET", url);
  await ask("GET", url);
  assert.equal(service.asked.length, 1);
  service.change([
    {
      put: "tcb-info",
      key: { tee: "sgx", fmspc: "00606A000000", version: 4, update: "standard" },
      json: { ...times, body: "", issuerChain: "" },
    },
  ]);
  await ask("GET", url);
  assert.equal(service.asked.length, 2);
  clock.advance(1000);
  await ask("GET", url);
  assert.equal(service.asked.length, 3);
});

test("refusals are not kept", async (t) => {
  const { ask, service } = await serve(t);
  service.onGet = () => Promise.reject(new Error("no"));
  assert.equal((await ask("GET", `${V4}/qe/identity`)).status, 500);
  service.onGet = undefined;
  assert.equal((await ask("GET", `${V4}/qe/identity`)).status, 200);
});
