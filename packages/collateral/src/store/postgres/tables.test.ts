import assert from "node:assert/strict";
import { test } from "node:test";
import { MIGRATIONS } from "./migrations.ts";
import { TABLE_NAMES, TABLES, upsertText, upsertValues } from "./tables.ts";

test("many rows are one statement with an array a column", () => {
  assert.equal(
    upsertText(TABLES.pckChain),
    "INSERT INTO confcom.pck_chain AS t (ca, issuer_chain) SELECT * FROM unnest($1::text[], $2::text[]) " +
      "ON CONFLICT (ca) DO UPDATE SET issuer_chain = excluded.issuer_chain " +
      "WHERE (t.issuer_chain) IS DISTINCT FROM (excluded.issuer_chain)",
  );
  const rows = [
    ["a", "1"],
    ["b", "2"],
  ];
  assert.deepEqual(upsertValues(TABLES.pckChain, rows), [
    ["a", "b"],
    ["1", "2"],
  ]);
});

test("of documents with times, and of no other table, one issued before is kept out", () => {
  const dated = TABLE_NAMES.filter((name) => upsertText(TABLES[name]).includes("excluded.issued >= t.issued"));
  assert.deepEqual(dated, ["crl", "tcbInfo", "identity"]);
});

test("every table that is written is one that the schema's first step creates, with each of its columns", () => {
  const schema = MIGRATIONS[0]?.statements ?? [];
  for (const name of TABLE_NAMES) {
    const { name: table, columns } = TABLES[name];
    const created = schema.find((statement) => statement.startsWith(`CREATE TABLE confcom.${table} (`));
    assert.ok(created !== undefined, table);
    for (const column of columns) assert.match(created, new RegExp(`\\b${column.name} ${column.type}\\b`));
  }
});

test("steps of the schema are numbered without a gap, and need no program newer than themselves", () => {
  for (const [i, { version, minReader, minWriter }] of MIGRATIONS.entries()) {
    assert.equal(version, i + 1);
    assert.ok(minReader <= version && minWriter <= version);
  }
});
