import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import { CollateralError } from "../../errors.ts";
import { clientConfig } from "./client-config.ts";
import { parseDatabaseUrl } from "./database-url.ts";

const options = {
  connectTimeoutMs: 1_000,
  password: undefined,
  readTextFile: async (path: string) => `content of ${path}`,
};

async function tlsOf(url: string): Promise<ConnectionOptions> {
  const { ssl } = await clientConfig(parseDatabaseUrl(url), options);
  assert.ok(typeof ssl === "object");
  return ssl;
}

const peer = (names: string) => ({ subject: { CN: "x" }, subjectaltname: names }) as unknown as PeerCertificate;

test("verify-full wants the chain and the URL's host in the certificate: a name or an address", async () => {
  for (const [host, names] of [
    ["db.example", "DNS:db.example"],
    ["10.1.2.3", "IP Address:10.1.2.3"],
  ] as const) {
    const { rejectUnauthorized, checkServerIdentity } = await tlsOf(`postgres://u@${host}/d`);
    assert.equal(rejectUnauthorized, true);
    // The driver names no host when it is an address.
    assert.equal(checkServerIdentity?.("localhost", peer(names)), undefined);
    assert.ok(checkServerIdentity?.("localhost", peer("DNS:localhost, IP Address:127.0.0.1")) instanceof Error);
  }
});

test("verify-ca wants the chain only, require neither", async () => {
  const ca = await tlsOf("postgres://u@db/d?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k");
  assert.deepEqual([ca.ca, ca.cert, ca.key], ["content of /ca", "content of /c", "content of /k"]);
  assert.equal(ca.rejectUnauthorized, true);
  assert.equal(ca.checkServerIdentity?.("db", peer("DNS:other")), undefined);
  assert.equal((await tlsOf("postgres://u@db/d?sslmode=require")).rejectUnauthorized, false);
});

test("a plain connection is said to be plain, so that the environment decides nothing", async () => {
  const { ssl, password, host } = await clientConfig(parseDatabaseUrl("postgres://u@/d?host=/run"), options);
  assert.equal(ssl, false);
  assert.equal(host, "/run");
  assert.ok(typeof password === "function" && (await password()) === "");
});

test("a PEM file that cannot be read is refused with its parameter", async () => {
  const unreadable = { ...options, readTextFile: () => Promise.reject(new Error("EACCES")) };
  await assert.rejects(
    clientConfig(parseDatabaseUrl("postgres://u@db/d?sslrootcert=/ca"), unreadable),
    (error) =>
      error instanceof CollateralError &&
      error.code === "SERVICE_CONFIGURATION" &&
      /sslrootcert \/ca/.test(error.message),
  );
});

test("a password that is given anew goes over the URL's", async () => {
  const { password } = await clientConfig(parseDatabaseUrl("postgres://u:old@db/d"), {
    ...options,
    password: async () => "new",
  });
  assert.ok(typeof password === "function" && (await password()) === "new");
});
