import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createAdmissionServer } from "@confcom/kubernetes/webhook";

// The webhook's handler with its server, without the authority around it. At SIGUSR2 it says how long its handler took since
// the last time: a number that counts the times, median and 99th percentile in ms.
//
//   own-server.ts CERTIFICATE KEY

const [certificate = "", key = ""] = process.argv.slice(2);
let times: number[] = [];
let reports = 0;

const server = createAdmissionServer({
  tls: { cert: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") },
  admission: { resourceNames: "azure", enclaveSlot: true, aesmDirectory: "/var/run/aesmd" },
  timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  elapsed: () => performance.now(),
  onAnswered: ({ milliseconds }) => times.push(milliseconds),
});
process.on("SIGUSR2", () => {
  const sorted = times.toSorted((a, b) => a - b);
  times = [];
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  process.stdout.write(`handler ${++reports}: ${at(0.5).toFixed(4)} ${at(0.99).toFixed(4)}\n`);
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`));
