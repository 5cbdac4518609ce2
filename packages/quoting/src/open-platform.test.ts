import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlatform } from "./open-platform.ts";
import type { AuthorityBinding } from "./software/provisioning-authority.ts";
import { openTestAuthority, openTestState, TEST_NOW, testRandom } from "./testing/test-platform.ts";

function options(name: string) {
  const state = openTestState();
  const random = testRandom("open");
  const openAuthority = (binding: AuthorityBinding) => openTestAuthority(state, binding, random);
  return { name, state, random, now: () => TEST_NOW, openAuthority };
}

test("software opens the software platform", async () => {
  const platform = await openPlatform(options("software"));
  assert.equal(platform.name, "software");
  await platform.close();
});

test("dcap is refused with a code and a next step, and nothing is made in the state directory", async () => {
  const asked = options("dcap");
  await assert.rejects(openPlatform(asked), {
    code: "PLATFORM_UNAVAILABLE",
    message: /not part of this version/,
    nextStep: "hardware platform is not part of this version; use the software platform",
  });
  assert.equal(asked.state.read("fuses.json"), undefined);
});

test("another name is refused with the names there are", async () => {
  await assert.rejects(openPlatform(options("hardware")), {
    code: "PLATFORM_UNKNOWN",
    message: '"hardware" is none of software, dcap',
  });
});
