/**
 * Other people's clients and verifiers against the command as a user runs it. One line per check as it is known,
 * and as the last line `N passed, N failed`; exit code 0 only if none failed. A missing tool is a failure that
 * says how to install it.
 *
 * usage: npm run interop [-- --json] [-- --only TEXT]
 */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type Check, type CheckResult, runChecks } from "./check.ts";
import { browser } from "./checks/browser.ts";
import { collateralClients } from "./checks/collateral-clients.ts";
import { collateralSources } from "./checks/collateral-sources.ts";
import { differential } from "./checks/differential.ts";
import { fortanixClient } from "./checks/fortanix-client.ts";
import { goldenFrames } from "./checks/golden-frames.ts";
import { goldenRequests } from "./checks/golden-requests.ts";
import { opensslChain } from "./checks/openssl-chain.ts";
import { pccsReplicas } from "./checks/pccs-replicas.ts";
import { postgres } from "./checks/postgres.ts";
import { privateProfile } from "./checks/private-profile.ts";
import { quoteVerifiers } from "./checks/quote-verifiers.ts";
import { simulatedReportChecks } from "./checks/simulated-reports.ts";
import { takeover } from "./checks/takeover.ts";
import { workers } from "./checks/workers.ts";
import { rustPeers } from "./foreign-peers.ts";
import { endAll } from "./program.ts";
import { Scene } from "./scene.ts";

const peersBuild: Check<Scene> = {
  name: "the Rust peers build from their locked versions",
  deadline: 1_800_000,
  async run() {
    await rustPeers();
    return "aesm-client 0.6.3, dcap-qvl 0.7.1, dcap-artifact-retrieval 0.5.2";
  },
};

const { values: options } = parseArgs({
  options: { json: { type: "boolean", default: false }, only: { type: "string" } },
});

const all = [
  peersBuild,
  ...fortanixClient,
  ...quoteVerifiers,
  ...opensslChain,
  ...goldenFrames,
  ...simulatedReportChecks,
  ...workers,
  ...privateProfile,
  ...takeover,
  ...browser,
  ...differential,
  ...collateralClients,
  ...goldenRequests,
  ...collateralSources,
  ...postgres,
  ...pccsReplicas,
];
const checks = all.filter(({ name }) => options.only === undefined || name.includes(options.only));

const scene = new Scene(tmpdir(), () => new Date());
process.once("exit", () => {
  endAll();
  scene.places.remove();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

function printLine({ name, passed, seconds, detail }: CheckResult): void {
  process.stdout.write(`${passed ? "ok" : "not ok"} - ${name} (${seconds.toFixed(1)} s): ${detail}\n`);
  const log = scene.recentLog();
  if (!passed) for (const line of log) process.stdout.write(`#   ${line}\n`);
}

const results = await runChecks(checks, scene, () => performance.now(), options.json ? () => undefined : printLine);
await scene.close();
const failed = results.filter((result) => !result.passed).length;
const passed = results.length - failed;
if (options.json) process.stdout.write(`${JSON.stringify({ checks: results, passed, failed }, undefined, 2)}\n`);
else process.stdout.write(`${passed} passed, ${failed} failed\n`);
// A check that was given up may still hold a socket open; its outcome is known, so the run ends here.
process.exit(failed === 0 && passed > 0 ? 0 : 1);
