import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { StateDirectory } from "@confcom/quoting";
import { CrashingFileSystem, SURVIVALS, testRandom } from "@confcom/quoting/testing";
import { ensureRegistrationToken } from "./registration-token.ts";

function directory(disk = new CrashingFileSystem()) {
  const warnings: string[] = [];
  const state = () => StateDirectory.open("/state/registration", disk);
  const random = testRandom("token");
  const ensure = () =>
    ensureRegistrationToken({
      state: state(),
      now: new Date("2026-11-21T12:00:00Z"),
      random,
      warn: (text) => void warnings.push(text),
    });
  return { disk, state, ensure, warnings };
}

const sha512 = (text: string) => createHash("sha512").update(text, "utf8").digest("hex");
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

test("a token of 256 bits and its hash are made once", () => {
  const { ensure, state } = directory();
  const { token, made } = ensure();
  assert.equal(made, true);
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(decode(state().read("user-token-hashes")), `${sha512(token)}\n`);
  assert.deepEqual(ensure(), { token, made: false });
  assert.equal(decode(state().read("user-token-hashes")), `${sha512(token)}\n`);
});

test("hashes of other tokens stay, and a token that somebody put there gets its hash", () => {
  const { ensure, state } = directory();
  state().replace("user-token-hashes", encode(`# of the old service\n${sha512("old").toUpperCase()}`));
  state().replace("user-token", encode("chosen\n"));
  assert.deepEqual(ensure(), { token: "chosen", made: false });
  assert.deepEqual(decode(state().read("user-token-hashes")).split("\n"), [
    "# of the old service",
    sha512("old").toUpperCase(),
    sha512("chosen"),
    "",
  ]);
});

test("what is no token is moved aside, and the warning does not show it", () => {
  const { ensure, state, warnings } = directory();
  state().replace("user-token", encode("two secret words\n"));
  const { made } = ensure();
  assert.equal(made, true);
  assert.match(warnings.join(), /moved to user-token\.damaged-/);
  assert.ok(!warnings.join().includes("secret"));
});

test("stopped after any operation, the next call has a token with its hash", () => {
  const whole = directory();
  whole.ensure();
  for (let operations = 0; operations < whole.disk.operations; operations++) {
    for (const survival of SURVIVALS) {
      const disk = new CrashingFileSystem(operations);
      assert.throws(() => directory(disk).ensure());
      const left = directory(disk.restart(survival));
      const { token } = left.ensure();
      assert.equal(decode(left.state().read("user-token-hashes")), `${sha512(token)}\n`);
      assert.deepEqual(left.warnings, []);
    }
  }
});
