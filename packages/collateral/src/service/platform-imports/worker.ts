import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../errors.ts";
import { PlatformCollateralRefusal } from "../../platform-collateral/index.ts";
import type { RawTcbKey } from "../../store/store.ts";
import { checkImport } from "./check-import.ts";
import type { ImportReply, ImportRequest, ImportSettings } from "./messages.ts";

// The thread that checks what is imported: parsing, signatures and selection for a fleet take minutes.

const { trustedRoots } = workerData as ImportSettings;
const port = parentPort;
if (port === null) throw new Error("this module is a worker's");

/** By import: who waits for what the store has. An import asks for one thing at a time. */
const waiting = new Map<number, (rawTcbs: readonly (readonly RawTcbKey[])[]) => void>();

const reply = (message: ImportReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function check({
  id,
  json,
  rootCaCrl,
  pckChains,
}: Extract<ImportRequest, { readonly kind: "check" }>): Promise<void> {
  try {
    const changes = await checkImport(json, {
      trustedRoots,
      rootCaCrl,
      pckChains,
      rawTcbs: (keys) =>
        new Promise((resolve) => {
          waiting.set(id, resolve);
          reply({ kind: "raw-tcbs", id, keys });
        }),
    });
    reply({ kind: "changes", id, changes }, [changes.packed]);
  } catch (error) {
    const reason = messageOf(error);
    if (error instanceof PlatformCollateralRefusal) reply({ kind: "refused", id, status: error.status, reason });
    else reply({ kind: "failed", id, reason });
  } finally {
    waiting.delete(id);
  }
}

port.on("message", (request: ImportRequest) => {
  if (request.kind === "check") void check(request);
  else waiting.get(request.id)?.(request.rawTcbs);
});
