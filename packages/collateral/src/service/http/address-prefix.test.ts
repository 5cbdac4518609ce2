import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressPrefix, isLoopback } from "./address-prefix.ts";
import { DEFAULT_HTTP_LIMITS } from "./limits.ts";
import { Peers } from "./peers.ts";

const PREFIXES: readonly (readonly [string, string])[] = [
  ["192.0.2.7", "192.0.2.0/24"],
  ["::ffff:192.0.2.7", "192.0.2.0/24"],
  ["2001:db8:1:2345::1", "2001:db8:1:2300::/56"],
  ["2001:db8:1:23ff:1:2:3:4", "2001:db8:1:2300::/56"],
  ["2001:db8::100:2:3:4:5", "2001:db8:0:100::/56"],
  ["2001:db8::1", "2001:db8:0:0::/56"],
  ["::1", "0:0:0:0::/56"],
  ["fe80::1%eth0", "fe80:0:0:0::/56"],
  ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/56"],
  ["", "unknown"],
  ["nonsense", "unknown"],
];
for (const [address, prefix] of PREFIXES) {
  test(`${address === "" ? "no address" : address} is of ${prefix}`, () =>
    assert.equal(addressPrefix(address), prefix));
}

test("addresses that share 56 bits share a prefix, others do not", () => {
  const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
  const text = (words: readonly number[]) => words.map((word) => word.toString(16)).join(":");
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const inside = [...one.slice(0, 3), ((one[3] ?? 0) & 0xff00) | ((other[3] ?? 0) & 0xff), ...other.slice(4)];
      assert.equal(addressPrefix(text(inside)), addressPrefix(text(one)));
      const outside = [...one.slice(0, 3), (one[3] ?? 0) ^ 0x0100, ...one.slice(4)];
      assert.notEqual(addressPrefix(text(outside)), addressPrefix(text(one)));
    }),
  );
});

test("loopback is 127.0.0.0/8, ::1 and localhost", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "127.example", "128.0.0.1", ""]) assert.ok(!isLoopback(host), host);
});

test("rates are of the prefix, not of the connection, and its memory is bounded", () => {
  const peers = new Peers({ ...DEFAULT_HTTP_LIMITS, requestBurst: 2, requestRate: 1, maxPrefixes: 10 });
  const socket = (remoteAddress: string) => ({ remoteAddress }) as never;
  const take = (address: string, now = 0) => peers.takeRequest(peers.of(socket(address), now), now);
  assert.deepEqual([take("192.0.2.1"), take("192.0.2.2"), take("192.0.2.3")], [true, true, false]);
  assert.equal(take("192.0.3.1"), true);
  assert.equal(take("192.0.2.1", 1000), true);
  for (let count = 0; count < 1000; count++) take(`10.${count >> 8}.${count & 255}.1`);
  assert.equal(peers.size, 10);
});

test("a clock that is set back neither gives nor takes", () => {
  const peers = new Peers({ ...DEFAULT_HTTP_LIMITS, requestBurst: 1, requestRate: 1 });
  const peer = peers.of({ remoteAddress: "192.0.2.1" } as never, 10_000);
  assert.equal(peers.takeRequest(peer, 10_000), true);
  assert.equal(peers.takeRequest(peer, 0), false);
  assert.equal(peers.takeRequest(peer, 1000), true);
});
