import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AESM_ERRORS,
  Aesm,
  aesmErrorName,
  aesmToSgxStatus,
  QUOTE3_ERRORS,
  Quote3,
  type Quote3ErrorCode,
  QV_RESULTS,
  QvResult,
  quote3ErrorName,
  quote3ToAesm,
  SGX_STATUS,
  SgxStatus,
  sgxStatusName,
  sgxStatusToQuote3,
} from "../index.ts";

test("the AESM table has the codes 0 to 51, each named once", () => {
  const names = Object.values(AESM_ERRORS).map((entry) => entry.name);
  assert.deepEqual(
    Object.keys(AESM_ERRORS).map(Number),
    Array.from({ length: 52 }, (_, i) => i),
  );
  assert.equal(new Set(names).size, 52);
});

test("codes are reachable by name and name themselves", () => {
  assert.equal(Aesm.INVALID_REPORT, 47);
  assert.equal(Quote3.INVALID_REPORT, 0xe015);
  assert.equal(SgxStatus.ERROR_MAC_MISMATCH, 0x3001);
  assert.equal(QvResult.OUT_OF_DATE, 0xa002);
  assert.equal(aesmErrorName(42), "ATT_KEY_NOT_INITIALIZED");
  assert.equal(aesmErrorName(99), "AESM error 99");
  assert.equal(quote3ErrorName(0xe03e), "UNSUPPORTED_MODE");
  assert.equal(quote3ErrorName(0xe0ff), "quote3 error 0xe0ff");
  assert.equal(sgxStatusName(0x4001), "SGX_ERROR_SERVICE_UNAVAILABLE");
  assert.equal(sgxStatusName(0x9999), "sgx_status 0x9999");
});

test("every entry of every table explains itself in a sentence", () => {
  for (const table of [AESM_ERRORS, QUOTE3_ERRORS, SGX_STATUS, QV_RESULTS]) {
    for (const { name, explanation } of Object.values(table)) assert.match(explanation, /\.$/, name);
  }
});

test("clients translate AESM codes as Intel's library does", () => {
  const table: [Parameters<typeof aesmToSgxStatus>[0], number, number][] = [
    ["get_quote_ex", 0, 0],
    ["get_quote_ex", 47, 0x3001],
    ["get_quote_ex", 45, 0x3001],
    ["get_quote_ex", 42, 0x8003],
    ["get_quote_ex", 44, 0x0001],
    ["get_quote_ex", 29, 0x2005],
    ["get_quote_size_ex", 42, 0x8003],
    ["get_quote_size_ex", 29, 0x0001],
    ["get_quote_size_ex", 43, 0x0001],
    ["init_quote_ex", 38, 0x8001],
    ["init_quote_ex", 44, 0x8005],
    ["init_quote_ex", 50, 0x8002],
    ["select_att_key_id", 38, 0x8001],
    ["get_supported_att_key_id_num", 38, 0x0001],
    ["get_supported_att_key_id_num", 30, 0x4001],
    ["get_supported_att_key_ids", 3, 0x0002],
    ["get_launch_token", 6, 0x4004],
    ["get_launch_token", 2, 0x2006],
    ["check_update_status", 51, 0x4013],
    ["report_attestation_status", 26, 0x0002],
    ["init_quote", 4, 0x4003],
    ["get_quote", 18, 0x400a],
    ["get_whitelist", 30, 0x4001],
    ["get_quote_ex", 99, 0x0001],
  ];
  for (const [operation, code, status] of table) {
    assert.equal(aesmToSgxStatus(operation, code), status, `${operation} ${code}`);
  }
});

test("out of process, DCAP shows the documented quote3 code for each client status", () => {
  for (const [status, quote3] of [
    [0x4001, 0xe040],
    [0x4002, 0xe042],
    [0x4007, 0xe041],
    [0x400a, 0xe043],
    [0x2006, 0xe03f],
    [0x0002, 0xe002],
    [0x0003, 0xe003],
    [0x8001, 0xe00b],
    [0x8002, 0xe010],
    [0x8005, 0xe011],
    [0x8003, 0xe00f],
    [0x2005, 0xe001],
    [0x3001, 0xe001],
  ] as const) {
    assert.equal(sgxStatusToQuote3(status), quote3);
  }
});

test("quoting errors become AESM codes one to one where the plugin has a name, else 1", () => {
  for (const [quote3, aesm] of [
    [0xe001, 1],
    [0xe002, 3],
    [0xe00b, 38],
    [0xe00f, 42],
    [0xe010, 43],
    [0xe011, 44],
    [0xe012, 29],
    [0xe013, 45],
    [0xe015, 47],
    [0xe018, 50],
    [0xe019, 12],
    [0xe01a, 22],
    [0xe035, 1],
    [0xe047, 1],
    [0xe049, 1],
  ] as const) {
    assert.equal(quote3ToAesm(quote3 as Quote3ErrorCode), aesm);
  }
});
