import assert from "node:assert/strict";
import { test } from "node:test";
import { startLock } from "./start-lock.ts";

const key = (name: string) => `${name} of test ${process.pid}`;

test("what is held is held by one only, until it is released", async () => {
  const release = await startLock([key("name"), key("directory")]);
  await assert.rejects(startLock([key("name")]), { code: "ALREADY_RUNNING", message: /this name of test/ });
  await assert.rejects(startLock([key("other"), key("directory")]), { code: "ALREADY_RUNNING" });
  (await startLock([key("other")]))();
  release();
  (await startLock([key("name"), key("directory")]))();
});
