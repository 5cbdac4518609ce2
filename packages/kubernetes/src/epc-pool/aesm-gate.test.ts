import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AesmError, AesmServer, type QuotingPlatform } from "@confcom/aesm";
import { aesmGate } from "./aesm-gate.ts";

/** Time that passes only by waiting. */
function patientClock() {
  const clock = {
    time: 0,
    now: () => clock.time,
    setTimeout: (run: () => void, milliseconds: number) => {
      clock.time += milliseconds;
      setImmediate(run);
    },
  };
  return clock;
}
const never = new AbortController().signal;

describe("waiting for the quote helper", () => {
  it("asks until it answers", async () => {
    const clock = patientClock();
    let failures = 3;
    const ask = async () => {
      if (failures-- > 0) throw new AesmError("SERVICE_UNREACHABLE", "nobody listens");
    };
    await aesmGate({ socketPath: "/x", clock, ask })(never);
    assert.equal(clock.time, 750);
  });

  it("a refusal is an answer: why no quote is made is for the application to read", async () => {
    const clock = patientClock();
    const ask = () => Promise.reject(new AesmError("SERVICE_REFUSED", "busy"));
    await aesmGate({ socketPath: "/x", clock, ask })(never);
    assert.equal(clock.time, 0);
  });

  it("gives up after 20 s, within the kubelet's 30, and tells the pod's owner what is missing and where", async () => {
    const clock = patientClock();
    const ask = () => Promise.reject(new AesmError("SERVICE_UNREACHABLE", "no such file (ENOENT)"));
    await assert.rejects(aesmGate({ socketPath: "/var/run/aesmd/aesm.socket", clock, ask })(never), {
      code: "QUOTE_HELPER_UNREACHABLE",
      message:
        "the quote helper of this node did not answer at /var/run/aesmd/aesm.socket within 20 s (no such file (ENOENT)): " +
        "is there a ready pod of the DaemonSet sgx-quote-helper on this node?",
    });
    assert.equal(clock.time, 20_000);
  });

  it("ends when the caller does", async () => {
    const abort = new AbortController();
    let asked = 0;
    const ask = async () => {
      if (++asked === 2) abort.abort();
      throw new Error("away");
    };
    await assert.rejects(aesmGate({ socketPath: "/x", clock: patientClock(), ask })(abort.signal), /away/);
    assert.equal(asked, 2);
  });

  it("a real socket: nobody, then a service", async () => {
    const directory = mkdtempSync(join(tmpdir(), "confcom-gate-"));
    const socketPath = join(directory, "aesm.socket");
    const platform = { name: "software", supportedKeyIds: () => [], close: async () => undefined };
    const server = new AesmServer({ platform: platform as unknown as QuotingPlatform });
    try {
      const gate = aesmGate({ socketPath, clock: patientClock(), patienceMs: 500 });
      await assert.rejects(gate(never), { code: "QUOTE_HELPER_UNREACHABLE", message: /within 0.5 s/ });
      await server.listen({ path: socketPath });
      await gate(never);
    } finally {
      await server.close();
      rmSync(directory, { recursive: true });
    }
  });
});
