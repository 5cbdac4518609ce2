import assert from "node:assert/strict";
import { test } from "node:test";
import type { RemoteProvisioningAuthority } from "@confcom/collateral/software";
import type { SoftwarePlatform } from "@confcom/quoting/software";
import { ProvisioningWatch } from "./provisioning-watch.ts";

test("a cause is logged once, however many answers carry it; another one, and success after it, too", async () => {
  const lines: string[] = [];
  const outcomes = ["401 (Request-ID 1a)", "401 (Request-ID 2b)", "503 (Request-ID 3c)", undefined];
  let done = () => {};
  const certified = new Promise<void>((resolve) => {
    done = resolve;
  });
  const platform = {
    initQuote: async () => {
      const outcome = outcomes.shift();
      if (outcome !== undefined) throw new Error(outcome);
    },
  };
  const authority = { name: "PCCS at test", status: { notBefore: 0 } };
  const watch = new ProvisioningWatch(
    platform as unknown as SoftwarePlatform,
    { authority: authority as unknown as RemoteProvisioningAuthority, outdated: () => false },
    {
      warn: (line: string) => lines.push(line),
      info: (line: string) => {
        lines.push(line);
        done();
      },
    } as never,
  );
  watch.start();
  // The watch's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await certified;
  clearInterval(alive);
  watch.close();
  assert.deepEqual(lines, ["401 (Request-ID 1a)", "503 (Request-ID 3c)", "certified by PCCS at test"]);
});
