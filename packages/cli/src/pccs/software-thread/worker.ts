import { randomBytes } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { CollateralError } from "@confcom/collateral";
import { openSoftwareUpstream, type SoftwareUpstream } from "@confcom/collateral/software";
import { nodeFileSystem, PlatformError, StateDirectory } from "@confcom/quoting";
import type { PortableError, SoftwareCall, SoftwareReply, SoftwareThreadSettings } from "./messages.ts";

// The software platform's authority in a thread of its own: it signs, and syncs files one after the other.

const port = parentPort;
if (port === null) throw new Error("this module is a worker's");
const { path } = workerData as SoftwareThreadSettings;
const reply = (message: SoftwareReply) => port.postMessage(message);
/** Every call ends by itself; who asked has a deadline of his own. */
const { signal } = new AbortController();

try {
  const upstream = await openSoftwareUpstream({
    state: StateDirectory.open(path, nodeFileSystem, (warning) => reply({ warning })),
    now: () => new Date(),
    random: (size) => new Uint8Array(randomBytes(size)),
  });
  port.on("message", (call: SoftwareCall) => {
    answer(upstream, call).then(
      (result) => reply({ id: call.id, result }),
      (error: unknown) => reply({ id: call.id, failure: portable(error) }),
    );
  });
  reply({ opened: { name: upstream.name, rootCertificatePem: upstream.rootCertificatePem } });
} catch (error) {
  reply({ failure: portable(error) });
  port.close();
}

async function answer(upstream: SoftwareUpstream, call: SoftwareCall) {
  if (call.kind === "fetch") return upstream.fetch(call.request, { signal });
  return upstream.pckCertificates(call.platform, call.pceId, { signal });
}

function portable(error: unknown): PortableError {
  if (error instanceof CollateralError) {
    const { code, message, source, status, retryAfterMs } = error;
    return { kind: "collateral", code, message, source, status, retryAfterMs };
  }
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof PlatformError ? { kind: "platform", code: error.code, message } : { kind: "other", message };
}
