import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError } from "../../errors.ts";
import { backoffMs } from "./backoff.ts";
import { isConnectionLoss, isSerializationFailure, storeFailure } from "./failures.ts";

const fromServer = (code: string) => Object.assign(new Error("said the server"), { code, severity: "ERROR" });
const fromSystem = (code: string) => Object.assign(new Error("said the system"), { code });

test("each state of the server has its code", () => {
  const codes: Readonly<Record<string, string>> = {
    "57P01": "STORE_UNREACHABLE",
    "57P03": "STORE_UNREACHABLE",
    "08006": "STORE_UNREACHABLE",
    "53300": "STORE_UNREACHABLE",
    "28P01": "STORE_UNREACHABLE",
    "3D000": "STORE_UNREACHABLE",
    "53100": "STORE_FULL",
    XX001: "STORE_DAMAGED",
    "55P03": "STORE_BUSY",
    "57014": "STORE_BUSY",
    "40P01": "STORE_BUSY",
    "42P01": "STORE_VERSION",
    "25006": "STORE_IO",
    "23502": "STORE_IO",
  };
  for (const [state, code] of Object.entries(codes)) {
    const failure = storeFailure("DB", "write", fromServer(state));
    assert.equal(failure.code, code, state);
    assert.match(failure.message, /^DB: write: /);
  }
});

test("a connection is lost by the system's error, by the driver's words or by the server's farewell, and by nothing else", () => {
  for (const lost of [
    fromSystem("ECONNREFUSED"),
    fromSystem("ENOENT"),
    fromSystem("EPIPE"),
    fromSystem("DEPTH_ZERO_SELF_SIGNED_CERT"),
    fromServer("57P01"),
    new Error("Connection terminated unexpectedly"),
    new Error("Query read timeout"),
    new Error("timeout exceeded when trying to connect"),
  ]) {
    assert.ok(isConnectionLoss(lost), lost.message);
    assert.equal(storeFailure("DB", "read", lost).code, "STORE_UNREACHABLE");
  }
  for (const other of [fromServer("23502"), fromServer("40001"), new Error("Connection: no"), "x", undefined]) {
    assert.ok(!isConnectionLoss(other));
  }
});

test("what the server gave up in favour of another is told apart", () => {
  assert.ok(isSerializationFailure(fromServer("40001")) && isSerializationFailure(fromServer("40P01")));
  assert.ok(!isSerializationFailure(fromServer("23505")) && !isSerializationFailure(fromSystem("40001")));
});

test("a failure that has its code already stays as it is", () => {
  const failure = new CollateralError("STORE_VERSION", "too old");
  assert.equal(storeFailure("DB", "read", failure), failure);
});

test("waits double up to three seconds, of which the upper half is random", () => {
  assert.deepEqual(
    [1, 2, 3, 7, 8, 1000].map((attempt) => backoffMs(attempt, () => 0)),
    [25, 50, 100, 1500, 1500, 1500],
  );
  assert.ok(backoffMs(1000, () => 0.999) < 3000);
});
