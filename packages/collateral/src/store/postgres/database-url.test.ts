import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CollateralError } from "../../errors.ts";
import { parseDatabaseUrl } from "./database-url.ts";

function refusalOf(url: string): CollateralError {
  try {
    parseDatabaseUrl(url);
  } catch (error) {
    assert.ok(error instanceof CollateralError);
    assert.equal(error.code, "SERVICE_CONFIGURATION");
    return error;
  }
  assert.fail(`${url} was accepted`);
}

test("a URL with everything", () => {
  assert.deepEqual(
    parseDatabaseUrl(
      "postgresql://pc%40cs:s%3Acret@db.example:6432/coll%20ateral?sslmode=verify-ca&sslrootcert=/etc/ca.pem&sslcert=/c&sslkey=/k",
    ),
    {
      host: "db.example",
      port: 6432,
      user: "pc@cs",
      password: "s:cret",
      database: "coll ateral",
      tls: { mode: "verify-ca", rootCertificates: "/etc/ca.pem", certificate: "/c", key: "/k" },
      name: 'PostgreSQL database "coll ateral" at db.example:6432',
    },
  );
});

test("the directory of a socket, as libpq takes it", () => {
  for (const url of [
    "postgres://pccs@/db?host=/run/postgresql",
    "postgres://pccs@%2Frun%2Fpostgresql/db",
    "postgres://pccs@:5432/db?host=%2Frun%2Fpostgresql",
    "postgres:///db?host=/run/postgresql&user=pccs",
  ]) {
    const { host, port, user, database, tls, name } = parseDatabaseUrl(url);
    assert.deepEqual([host, port, user, database, tls], ["/run/postgresql", 5432, "pccs", "db", undefined]);
    assert.equal(name, 'PostgreSQL database "db" at /run/postgresql/.s.PGSQL.5432');
  }
});

test("an IPv6 address; the database is the user's when none is named", () => {
  const { host, database, name } = parseDatabaseUrl("postgres://pccs@[fd00::1]");
  assert.equal(host, "fd00::1");
  assert.equal(database, "pccs");
  assert.equal(name, 'PostgreSQL database "pccs" at [fd00::1]:5432');
});

test("without sslmode loopback and sockets are plain and every other host is verified", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"]) {
    assert.equal(parseDatabaseUrl(`postgres://u@${host}/d`).tls, undefined, host);
  }
  for (const host of ["db", "10.0.0.1", "localhost.example", "[fd00::1]", "127.0.0.1.example"]) {
    assert.equal(parseDatabaseUrl(`postgres://u@${host}/d`).tls?.mode, "verify-full", host);
  }
});

test("require checks the chain when it is told a root, as libpq does", () => {
  assert.equal(parseDatabaseUrl("postgres://u@db/d?sslmode=require").tls?.mode, "require");
  assert.equal(parseDatabaseUrl("postgres://u@db/d?sslmode=require&sslrootcert=/ca").tls?.mode, "verify-ca");
  assert.equal(parseDatabaseUrl("postgres://u@db/d?sslmode=disable").tls, undefined);
});

test("what cannot be used is refused with the reason", () => {
  const cases: readonly [url: string, reason: RegExp][] = [
    ["mysql://u@h/d", /form postgres:/],
    ["postgres://u@h/d#x", /form postgres:/],
    ["postgres://u@a,b/d", /form postgres:/],
    ["postgres://u@/d?host=a,b", /several hosts/],
    ["postgres://h/d", /no user/],
    ["postgres://u@/d", /no host/],
    ["postgres://u@h:0/d", /port/],
    ["postgres://u@h:65536/d", /port/],
    ["postgres://u@h/d?sslmode=prefer", /sslmode/],
    ["postgres://u@h/d?sslmode=", /sslmode/],
    ["postgres://u@h/d?sslmode=verify-ca", /needs sslrootcert/],
    ["postgres://u@h/d?sslcert=/c", /belong together/],
    ["postgres://u@h/d?sslmode=disable&sslrootcert=/ca", /TLS is off/],
    ["postgres://u@/d?host=/run&sslmode=require", /socket has no TLS/],
    ["postgres://u@h/d?options=-c%20fsync=off", /"options" is none of/],
    ["postgres://u@h/d?port=1&port=2", /twice/],
    ["postgres://u%zz@h/d", /user has a %/],
    ["postgres://u@h/d%00", /control character/],
    [`postgres://u@h/${"d".repeat(5000)}`, /longer/],
  ];
  for (const [url, reason] of cases) assert.match(refusalOf(url).message, reason, url);
});

test("no message and no name contains the password", () => {
  const password = "hunter2hunter2";
  for (const url of [
    `postgres://u:${password}@h:99999/d`,
    `postgres://u:${password}@h/d?sslmode=${password}`,
    `postgres://u@h/d?password=${password}&sslmode=x`,
    `postgres://u:${password}@h@i/d`,
    `${password}://u:${password}@h/d`,
  ]) {
    assert.ok(!refusalOf(url).message.includes(password), url);
  }
  assert.ok(!parseDatabaseUrl(`postgres://u:${password}@h/d`).name.includes(password));
});

test("any user, password and database come back as they were encoded", () => {
  const word = fc
    .string({ minLength: 1, maxLength: 30, unit: "grapheme" })
    .filter((text) => text >= " " && !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(word, word, word, (user, password, database) => {
      const encoded = [user, password, database].map(encodeURIComponent);
      const url = parseDatabaseUrl(`postgres://${encoded[0]}:${encoded[1]}@h/${encoded[2]}`);
      assert.deepEqual([url.user, url.password, url.database], [user, password, database]);
    }),
  );
});

test("any text is parsed or refused, in no other way", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      for (const url of [text, `postgres://${text}`, `postgres://u@h/d?${text}`]) {
        try {
          parseDatabaseUrl(url);
        } catch (error) {
          assert.ok(error instanceof CollateralError && error.code === "SERVICE_CONFIGURATION");
        }
      }
    }),
  );
});
