import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "better-sqlite3";
import { unpackChanges } from "../packed-changes.ts";
import { makeDatabase, openForWriting, takeLock } from "./database.ts";
import { DatabaseWriter } from "./database-writer.ts";
import { portable, storeFailure } from "./failure.ts";
import { makeStoreFiles } from "./files.ts";
import { OPENED, type WorkerReply, type WorkerRequest, type WorkerSettings } from "./worker-messages.ts";

// The thread that writes a state directory's database: what waits together is committed together.

/** Rows in one commit at most, so that one long import does not make everybody else wait for all of it. */
const ROWS_PER_COMMIT = 20_000;

type Job = Extract<WorkerRequest, { readonly kind: "write" | "take" }>;

const settings = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error("this module is a worker's");

const reply = (message: WorkerReply) => port.postMessage(message);

try {
  const warnings: string[] = [];
  const files = makeStoreFiles(settings.directory, (message) => warnings.push(message));
  const lock = takeLock(files.lock, settings.busyMs);
  try {
    makeDatabase(files.database);
    serve(openForWriting(files.database, settings.busyMs, settings.maximumBytes), lock, files.database);
    reply({ id: OPENED, warnings });
  } catch (error) {
    lock.close();
    throw error;
  }
} catch (error) {
  reply({ id: OPENED, failure: portable(storeFailure(error, settings.directory)) });
  port.close();
}

function serve(database: Database, lock: Database, path: string): void {
  const writer = new DatabaseWriter(database, path);
  const waiting: Job[] = [];
  let scheduled = false;
  let backups: Promise<unknown> = Promise.resolve();

  const commit = () => {
    scheduled = false;
    const jobs: Job[] = [];
    for (let rows = 0; waiting.length > 0 && rows < ROWS_PER_COMMIT; ) {
      const job = waiting.shift() as Job;
      rows += job.kind === "write" ? job.changes.length : 1;
      jobs.push(job);
    }
    for (const [index, outcome] of writer.run(jobs).entries()) {
      const id = (jobs[index] as Job).id;
      if ("failure" in outcome) reply({ id, failure: portable(outcome.failure) });
      else reply({ id, taken: outcome.taken });
    }
    if (waiting.length > 0) schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    // After the messages that have arrived by now.
    setImmediate(commit);
  };
  const attempt = (id: number, work: () => void) => {
    try {
      work();
      reply({ id });
    } catch (error) {
      reply({ id, failure: portable(storeFailure(error, path)) });
    }
  };

  port?.on("message", (request: WorkerRequest) => {
    switch (request.kind) {
      case "write-packed":
        waiting.push({ id: request.id, kind: "write", changes: unpackChanges(request.packed) });
        schedule();
        return;
      case "write":
      case "take":
        waiting.push(request);
        schedule();
        return;
      case "probe":
        attempt(request.id, () => writer.probe());
        return;
      case "backup":
        // In steps between commits; writes of this connection go into the copy too.
        backups = backups
          .then(() => database.backup(request.path))
          .then(
            () => reply({ id: request.id }),
            (error: unknown) => reply({ id: request.id, failure: portable(storeFailure(error, request.path)) }),
          );
        return;
      case "close":
        while (waiting.length > 0) commit();
        void backups.then(() => {
          attempt(request.id, () => {
            // The connection that reads is still open, so that closing this one does not do it.
            database.pragma("wal_checkpoint(TRUNCATE)");
            database.close();
            lock.close();
          });
          port.close();
        });
        return;
    }
  });
}
