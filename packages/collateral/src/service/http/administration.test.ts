import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { PCCS_STATUS, ServiceRefusal } from "../status.ts";
import type { RefusedRequest } from "./edge.ts";
import { ADMIN_TOKEN, serve, sha512, USER_TOKEN, V4 } from "./testing/served.ts";

const JSON_TYPE = { "content-type": "application/json" };
const USER = { "user-token": USER_TOKEN, ...JSON_TYPE };
const ADMIN = { "admin-token": ADMIN_TOKEN, ...JSON_TYPE };
const PLATFORM = {
  qe_id: "aa".repeat(16),
  pce_id: "0000",
  cpu_svn: "0b".repeat(16),
  pce_svn: "0d00",
  enc_ppid: "cc".repeat(384),
};

test("POST /platforms registers what the PCK ID retrieval tool sends", async (t) => {
  const { ask, service } = await serve(t);
  const { status, text, headers } = await ask(
    "POST",
    `${V4}/platforms?update=ALL`,
    USER,
    JSON.stringify({ ...PLATFORM, platform_manifest: "" }),
  );
  assert.equal(status, 200);
  assert.equal(text, "Operation successful.");
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  const registered = {
    qeId: "AA".repeat(16),
    pceId: "0000",
    cpuSvn: "0B".repeat(16),
    pceSvn: "0D00",
    encryptedPpid: "CC".repeat(384),
    platformManifest: "",
  };
  assert.deepEqual(service.asked, [`register ${JSON.stringify([registered, "all"])}`]);
});

test("with a manifest the other fields count for nothing", async (t) => {
  const { ask, service } = await serve(t);
  const body = JSON.stringify({ ...PLATFORM, platform_manifest: "manifest" });
  assert.equal((await ask("POST", `${V4}/platforms`, USER, body)).status, 200);
  const [registered] = JSON.parse(service.asked[0]?.replace("register ", "") ?? "") as [Record<string, string>];
  assert.equal(registered?.platformManifest, "manifest");
  assert.equal(registered?.encryptedPpid, "");
});

const { cpu_svn: _cpuSvn, ...WITHOUT_SVN } = PLATFORM;
const BAD_REGISTRATIONS: readonly (readonly [string, string])[] = [
  ["no JSON", "{"],
  ["a number", "5"],
  ["a list", "[]"],
  ["nothing", ""],
  ["null", "null"],
  ["bytes that are not UTF-8", '{"qe_id":"\xff"}'],
  ["neither manifest nor SVN", JSON.stringify(WITHOUT_SVN)],
  ["a short encrypted PPID", JSON.stringify({ ...PLATFORM, enc_ppid: "00" })],
  ["a QE ID that is no text", JSON.stringify({ ...PLATFORM, qe_id: { length: 5 } })],
  ["a manifest that is no text", JSON.stringify({ ...PLATFORM, platform_manifest: ["x"] })],
  ["a NUL in the manifest", JSON.stringify({ ...PLATFORM, platform_manifest: "a\0b" })],
  ["half of a character in the manifest", JSON.stringify({ ...PLATFORM, platform_manifest: "\ud800" })],
  ["a PCE ID with a line end", JSON.stringify({ ...PLATFORM, pce_id: "000\n" })],
];
for (const [what, body] of BAD_REGISTRATIONS) {
  test(`a registration that is ${what} is 400 and asks nobody`, async (t) => {
    const { ask, service } = await serve(t);
    const { status, text } = await ask(
      "POST",
      `${V4}/platforms`,
      USER,
      Buffer.from(body, "latin1") as unknown as string,
    );
    assert.equal(status, 400);
    assert.equal(text, PCCS_STATUS[400]);
    assert.deepEqual(service.asked, []);
  });
}

test("a body that is not said to be JSON, or is compressed, is 400", async (t) => {
  const { ask } = await serve(t);
  const body = JSON.stringify(PLATFORM);
  const token = { "user-token": USER_TOKEN };
  assert.equal((await ask("POST", `${V4}/platforms`, token, body)).status, 400);
  assert.equal((await ask("POST", `${V4}/platforms`, { ...USER, "content-encoding": "gzip" }, body)).status, 400);
});

test("a body beyond its endpoint's limit is 413, announced or not, and the connection ends", async (t) => {
  const { ask, raw, service } = await serve(t, { limits: { maxRegistration: 1000 } });
  const announced = await ask("POST", `${V4}/platforms`, USER, "x".repeat(1001));
  assert.equal(announced.status, 413);
  assert.equal(announced.headers.connection, "close");
  const chunked = await raw(
    `POST ${V4}/platforms HTTP/1.1\r\nHost: x\r\nuser-token: ${USER_TOKEN}\r\nContent-Type: application/json\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n400\r\n${"x".repeat(1024)}\r\n`,
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  assert.deepEqual(service.asked, []);
});

test("who leaves in the middle of a body is no failure of the service", async (t) => {
  const refused = Promise.withResolvers<RefusedRequest>();
  const { server, service, log } = await serve(t, { refused: refused.resolve });
  const socket = connect(server.address);
  socket.on("error", () => {});
  const head = `POST ${V4}/platforms HTTP/1.1\r\nHost: x\r\nuser-token: ${USER_TOKEN}\r\nContent-Type: application/json\r\n`;
  socket.write(`${head}Content-Length: 1000\r\n\r\n{"qe_id":`, () => socket.destroy());
  const { status, reason } = await refused.promise;
  assert.deepEqual([status, reason], [400, "the connection ended before the body"]);
  assert.deepEqual(
    log().map((line) => line.status),
    [499],
  );
  assert.deepEqual(service.asked, []);
});

test("who expects 100-continue is told to go on only with a token and a body that fits", async (t) => {
  const { raw } = await serve(t);
  const head = (token: string) =>
    `POST ${V4}/platforms HTTP/1.1\r\nHost: x\r\nConnection: close\r\nuser-token: ${token}\r\nContent-Type: application/json\r\n` +
    "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  assert.match(await raw(head("wrong")), /^HTTP\/1\.1 401 /);
  assert.match(await raw(`${head(USER_TOKEN)}{}`), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /);
});

test("GET /platforms hands the queue over as the administration tool reads it", async (t) => {
  const { ask, service } = await serve(t);
  service.onCall = () => [
    {
      qeId: "AA",
      pceId: "0000",
      cpuSvn: "BB",
      pceSvn: "0D00",
      encryptedPpid: "CC",
      platformManifest: "",
      state: "new",
    },
  ];
  for (const source of ["", "?source=reg", "?source=reg_na", "?source=[]", "?source=%5B00606a000000,00706a100000%5D"]) {
    const { status, headers, text } = await ask("GET", `${V4}/platforms${source}`, ADMIN);
    assert.equal(status, 200);
    assert.equal(headers["platform-count"], "1");
    assert.equal(
      text,
      '[{"qe_id":"AA","pce_id":"0000","cpu_svn":"BB","pce_svn":"0D00","platform_manifest":"","enc_ppid":"CC"}]',
    );
  }
  assert.deepEqual(service.asked, [
    'platforms ["reg"]',
    'platforms ["reg"]',
    'platforms ["reg_na"]',
    "platforms [[]]",
    'platforms [["00606A000000","00706A100000"]]',
  ]);
  assert.equal((await ask("GET", `${V4}/platforms?source=REG`, ADMIN)).status, 400);
  assert.equal((await ask("GET", `${V4}/platforms?source=[x]`, ADMIN)).status, 400);
});

test("refresh by POST and GET: documents, certificates of some FMSPCs or of all", async (t) => {
  const { ask, service } = await serve(t);
  for (const [method, query] of [
    ["POST", ""],
    ["GET", "?type=certs"],
    ["POST", "?type=certs&fmspc=00606a000000"],
    ["POST", "?type=certs&fmspc=[00606a000000,00706a100000]"],
  ] as const) {
    assert.equal((await ask(method, `${V4}/refresh${query}`, ADMIN)).text, "Operation successful.");
  }
  assert.deepEqual(service.asked, [
    "refresh [null]",
    "refresh [[]]",
    'refresh [["00606A000000"]]',
    'refresh [["00606A000000","00706A100000"]]',
  ]);
  assert.equal((await ask("POST", `${V4}/refresh?type=all`, ADMIN)).status, 400);
  assert.equal((await ask("POST", `${V4}/refresh?type=certs&fmspc=x`, ADMIN)).status, 400);
});

test("PUT /platformcollateral passes the JSON on byte for byte", async (t) => {
  const { ask, service } = await serve(t);
  const body = '{"platforms":[],"collaterals":{"z":1,"a":{"__proto__":2}}}';
  assert.equal((await ask("PUT", "/sgx/certification/v3/platformcollateral", ADMIN, body)).status, 200);
  assert.deepEqual(service.asked, [`putPlatformCollateral [${JSON.stringify(body)}]`]);
  service.onCall = () => {
    throw new ServiceRefusal(460, "a chain is wrong");
  };
  const { status, text } = await ask("PUT", `${V4}/platformcollateral`, ADMIN, body);
  assert.deepEqual([status, text], [460, PCCS_STATUS[460]]);
});

test("one import at a time: the next one is told to come back", async (t) => {
  const { ask, service } = await serve(t);
  let finish = () => {};
  const reached = new Promise<void>((began) => {
    service.onCall = () => {
      began();
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    };
  });
  const first = ask("PUT", `${V4}/platformcollateral`, ADMIN, "{}");
  await reached;
  const second = await ask("PUT", `${V4}/platformcollateral`, ADMIN, "{}");
  assert.equal(second.status, 503);
  assert.equal(second.headers["retry-after"], "5");
  finish();
  assert.equal((await first).status, 200);
});

test("appraisal policies: put answers the id, get the policies of an FMSPC or 404", async (t) => {
  const { ask, service } = await serve(t);
  service.onCall = (call) => (call === "putPolicy" ? "ab".repeat(48) : ["one", "two"]);
  const body = JSON.stringify({ is_default: true, fmspc: "00606a000000", policy: "a.b.c" });
  assert.equal((await ask("PUT", `${V4}/appraisalpolicy`, ADMIN, body)).text, "ab".repeat(48));
  assert.equal((await ask("GET", `${V4}/appraisalpolicy?fmspc=00606a000000`)).text, "one,two");
  assert.deepEqual(service.asked, [
    'putPolicy [{"isDefault":true,"fmspc":"00606A000000","policy":"a.b.c"}]',
    'policies ["00606A000000"]',
  ]);
  service.onCall = () => [];
  assert.equal((await ask("GET", `${V4}/appraisalpolicy?fmspc=00606a000000`)).status, 404);
  assert.equal((await ask("GET", `${V4}/appraisalpolicy`)).status, 400);
  assert.equal((await ask("PUT", `${V4}/appraisalpolicy`, ADMIN, "{}")).status, 400);
});

const GUARDED: readonly (readonly [string, string, "user-token" | "admin-token"])[] = [
  ["POST", "platforms", "user-token"],
  ["GET", "platforms", "admin-token"],
  ["PUT", "platformcollateral", "admin-token"],
  ["POST", "refresh", "admin-token"],
  ["GET", "refresh", "admin-token"],
  ["PUT", "appraisalpolicy", "admin-token"],
];
for (const [method, path, header] of GUARDED) {
  test(`${method} ${path} without its token, with a wrong one or the other one is 401 and asks nobody`, async (t) => {
    const { ask, service } = await serve(t);
    const other = header === "user-token" ? ADMIN_TOKEN : USER_TOKEN;
    const hash = sha512(header === "user-token" ? USER_TOKEN : ADMIN_TOKEN);
    for (const token of [undefined, "", "wrong", other, hash]) {
      const headers = token === undefined ? JSON_TYPE : { ...JSON_TYPE, [header]: token };
      const { status, text } = await ask(method, `${V4}/${path}`, headers, method === "GET" ? undefined : "{}");
      assert.deepEqual([status, text], [401, PCCS_STATUS[401]]);
    }
    assert.deepEqual(service.asked, []);
  });
}

test("tokens are replaced while the server runs; a hash that is none leaves those before", async (t) => {
  const { ask, server } = await serve(t);
  server.reloadTokens({ user: [], admin: [sha512("new"), sha512("newer")] });
  assert.equal((await ask("POST", `${V4}/refresh`, ADMIN)).status, 401);
  assert.throws(() => server.reloadTokens({ user: ["x"], admin: [] }), { code: "SERVICE_CONFIGURATION" });
  for (const token of ["new", "newer"]) {
    assert.equal((await ask("POST", `${V4}/refresh`, { "admin-token": token })).status, 200);
  }
});

test("who guesses tokens loses his connection with each after some, and never keeps out a right token", async (t) => {
  const { ask, raw, clock, log } = await serve(t, { limits: { wrongTokens: 5 } });
  const guess = () => ask("POST", `${V4}/refresh`, { connection: "keep-alive", "admin-token": "guess" });
  for (let n = 0; n < 5; n++) assert.equal((await guess()).headers.connection, "keep-alive");
  for (let n = 0; n < 3; n++) {
    const { status, headers } = await guess();
    assert.deepEqual([status, headers.connection], [401, "close"]);
  }
  // Two of which the second is right: what follows a wrong one on its connection is not read any more.
  const request = (token: string) => `POST ${V4}/refresh HTTP/1.1\r\nHost: a\r\nadmin-token: ${token}\r\n\r\n`;
  assert.doesNotMatch(await raw(request("guess") + request(ADMIN_TOKEN)), / 200 /);
  assert.equal((await ask("POST", `${V4}/refresh`, ADMIN)).status, 200);
  assert.equal(log().filter(({ reason }) => reason === "too many wrong tokens from this address prefix").length, 4);
  clock.advance(60_000);
  assert.equal((await guess()).headers.connection, "keep-alive");
});
