import assert from "node:assert/strict";
import { test } from "node:test";
import { PCCS_STATUS, ServiceRefusal } from "../status.ts";
import { serve, V4 } from "./testing/served.ts";
import { CRL_DER, PEM_CHAIN, PEM_LEAF, served200, TCB_JSON } from "./testing/service-double.ts";

const QE_ID = "0f".repeat(16);
const CPU_SVN = "1a".repeat(16);
const PCKCERT = `${V4}/pckcert?qeid=${QE_ID}&encrypted_ppid=${"00".repeat(384)}&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000`;
const CHAIN = encodeURIComponent(PEM_CHAIN);

test("pckcert: leaf, TCBm, FMSPC, CA and chain, as Intel's client asks for it", async (t) => {
  const { ask, service } = await serve(t);
  const { status, headers, text } = await ask("GET", PCKCERT);
  assert.equal(status, 200);
  assert.equal(text, PEM_LEAF);
  assert.equal(headers["content-type"], "application/x-pem-file; charset=utf-8");
  assert.equal(headers["content-length"], `${PEM_LEAF.length}`);
  assert.equal(headers["sgx-tcbm"], `${CPU_SVN.toUpperCase()}0D00`);
  assert.equal(headers["sgx-fmspc"], "00606A000000");
  assert.equal(headers["sgx-pck-certificate-ca-type"], "PLATFORM");
  assert.equal(headers["sgx-pck-certificate-issuer-chain"], CHAIN);
  assert.deepEqual(service.asked, [`pck-certificate/${QE_ID.toUpperCase()}/0000/${CPU_SVN.toUpperCase()}/0D00`]);
});

test("issuer chains are percent-encoded as encodeURIComponent does", async (t) => {
  const { ask } = await serve(t);
  const { headers } = await ask("GET", `${V4}/tcb?fmspc=00606a000000`);
  assert.match(
    String(headers["tcb-info-issuer-chain"]),
    /^-----BEGIN%20CERTIFICATE-----%0AAA%2B%2F%3D%0A-----END%20CERTIFICATE-----%0A/,
  );
});

test("pckcrl: hexadecimal, DER where asked for, either CA in any case", async (t) => {
  const { ask } = await serve(t);
  const hex = await ask("GET", `${V4}/pckcrl?ca=PROCESSOR`);
  assert.equal(hex.text, "308200ff");
  assert.equal(hex.headers["content-type"], "application/x-pem-file; charset=utf-8");
  assert.equal(hex.headers["sgx-pck-crl-issuer-chain"], CHAIN);
  const der = await ask("GET", `${V4}/pckcrl?ca=platform&encoding=DER`);
  assert.deepEqual(new Uint8Array(der.body), CRL_DER);
  assert.equal(der.headers["content-type"], "application/pkix-crl");
});

test("tcb: the chain's header is named by the version", async (t) => {
  const { ask, service } = await serve(t);
  const v4 = await ask("GET", `${V4}/tcb?fmspc=00606a000000&update=EARLY`);
  assert.equal(v4.text, TCB_JSON);
  assert.equal(v4.headers["content-type"], "application/json; charset=utf-8");
  assert.equal(v4.headers["tcb-info-issuer-chain"], CHAIN);
  const v3 = await ask("GET", "/sgx/certification/v3/tcb?fmspc=00606a000000");
  assert.equal(v3.headers["sgx-tcb-info-issuer-chain"], CHAIN);
  assert.equal(v3.headers["tcb-info-issuer-chain"], undefined);
  await ask("GET", "/tdx/certification/v4/tcb?fmspc=00606a000000&update=standard");
  assert.deepEqual(service.asked, [
    "tcb-info/sgx/00606A000000/early/v4",
    "tcb-info/sgx/00606A000000/standard/v3",
    "tcb-info/tdx/00606A000000/standard/v4",
  ]);
});

test("identities of QE, QvE and TD QE", async (t) => {
  const { ask, service } = await serve(t);
  for (const path of [`${V4}/qe/identity`, `${V4}/qve/identity`, "/tdx/certification/v4/qe/identity?update=early"]) {
    const { status, headers } = await ask("GET", path);
    assert.equal(status, 200);
    assert.equal(headers["sgx-enclave-identity-issuer-chain"], CHAIN);
  }
  assert.deepEqual(service.asked, ["identity/QE/standard/v4", "identity/QVE/standard/v4", "identity/TD_QE/early/v4"]);
});

test("rootcacrl is hexadecimal, crl is DER", async (t) => {
  const { ask, service } = await serve(t);
  const root = await ask("GET", `${V4}/rootcacrl`);
  assert.equal(root.text, "308200ff");
  assert.equal(root.headers["content-type"], "application/pkix-crl; charset=utf-8");
  const url = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
  const crl = await ask("GET", `${V4}/crl?uri=${encodeURIComponent(url)}`);
  assert.deepEqual(new Uint8Array(crl.body), CRL_DER);
  assert.equal(crl.headers["content-type"], "application/pkix-crl");
  assert.deepEqual(service.asked, ["root-ca-crl", `crl/${url}`]);
});

test("az-dcap-client reads PCK certificates as JSON, SVNs in the byte order of everybody else", async (t) => {
  const { ask, service } = await serve(t);
  const query = `qeid=${QE_ID}&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000&clientid=production_client&api-version=2021-07-22-preview`;
  const { headers, text } = await ask("GET", `${V4}/pckcert?${query}`);
  assert.equal(headers["content-type"], "application/json; charset=utf-8");
  const json = JSON.parse(text);
  assert.equal(json.pckCert, PEM_LEAF);
  assert.equal(json["sgx-Tcbm"], `${CPU_SVN.toUpperCase()}0D00`);
  assert.equal(json["sgx-Pck-Certificate-Issuer-Chain"], CHAIN);
  assert.equal(json.cacheMaxAge, "3600");
  assert.deepEqual(service.asked, [`pck-certificate/${QE_ID.toUpperCase()}/0000/${CPU_SVN.toUpperCase()}/0D00`]);
});

test("api-version alone, which Intel's client sends to Azure, changes nothing", async (t) => {
  const { ask } = await serve(t);
  const { text } = await ask("GET", `${PCKCERT}&api-version=2021-07-22-preview`);
  assert.equal(text, PEM_LEAF);
});

test("az-dcap-client names CRLs by URLs that are escaped twice, and gets PEM with a chain", async (t) => {
  const { ask, service } = await serve(t);
  const names = [
    "https%3a%2f%2fcertificates.trustedservices.intel.com%2fintelsgxpckprocessor.crl",
    "https%3a%2f%2fapi.trustedservices.intel.com%2fsgx%2fcertification%2fv3%2fpckcrl%3fca%3dplatform%26encoding%3dpem",
    "https%3a%2f%2fcertificates.trustedservices.intel.com%2fintelsgxrootca.crl",
  ];
  for (const name of names) {
    const escaped = encodeURIComponent(name);
    const { status, headers, text } = await ask("GET", `${V4}/pckcrl?uri=${escaped}&clientid=x&api-version=y`);
    assert.equal(status, 200, name);
    assert.equal(text, "-----BEGIN X509 CRL-----\nMIIA/w==\n-----END X509 CRL-----\n");
    assert.match(String(headers["sgx-pck-crl-issuer-chain"]), /ROOT%0A-----END%20CERTIFICATE-----%0A$/);
  }
  assert.deepEqual(service.asked, ["pck-crl/processor", "pck-crl/platform", "root-ca-crl", "pck-crl/platform"]);
});

test("az-dcap-client gets Cache-Control with every document and a chain with the root's CRL; others get neither", async (t) => {
  const { ask, service } = await serve(t);
  for (const path of ["tcb?fmspc=00606a000000&", "qe/identity?", "pckcrl?ca=platform&", "rootcacrl?"]) {
    const azure = await ask("GET", `${V4}/${path}clientid=production_client`);
    assert.equal(azure.headers["cache-control"], "max-age=3600", path);
    const other = await ask("GET", `${V4}/${path}`);
    assert.equal(other.headers["cache-control"], undefined, path);
    assert.equal(other.text, azure.text, path);
    if (path !== "rootcacrl?") continue;
    assert.match(String(azure.headers["sgx-pck-crl-issuer-chain"]), /ROOT%0A-----END%20CERTIFICATE-----%0A$/);
    assert.equal(other.headers["sgx-pck-crl-issuer-chain"], undefined);
  }
  service.onGet = (request) => ({ ...served200(request), stale: true });
  const stale = await ask("GET", `${V4}/qve/identity?clientid=production_client`);
  assert.equal(stale.headers["cache-control"], "max-age=0");
});

test("a stale answer says so", async (t) => {
  const { ask, service } = await serve(t);
  service.onGet = (request) => ({ ...served200(request), stale: true });
  const { headers } = await ask("GET", `${V4}/tcb?fmspc=00606a000000`);
  assert.equal(headers.warning, '110 - "Response is Stale"');
});

test("every refusal of the service has its status and Intel's text, and a 503 says when to come back", async (t) => {
  const { ask, service } = await serve(t);
  for (const status of [400, 404, 460, 461, 462, 500, 502, 503] as const) {
    service.onGet = () => {
      throw new ServiceRefusal(status, "because", { retryAfter: 2.5 });
    };
    const { status: got, headers, text } = await ask("GET", `${V4}/qe/identity`);
    assert.equal(got, status);
    assert.equal(text, PCCS_STATUS[status]);
    assert.equal(headers["content-type"], "text/html; charset=utf-8");
    assert.equal(headers["retry-after"], status === 503 ? "3" : undefined);
  }
});

test("a failure that nobody foresaw is 500, at once or later, and its words stay inside", async (t) => {
  const { ask, service } = await serve(t);
  service.onGet = () => {
    throw new Error("secret");
  };
  assert.equal((await ask("GET", `${V4}/qe/identity`)).text, PCCS_STATUS[500]);
  service.onGet = async () => {
    throw new Error("secret");
  };
  assert.equal((await ask("GET", `${V4}/qe/identity`)).text, PCCS_STATUS[500]);
});

const WRONG: readonly (readonly [string, number])[] = [
  ["pckcert", 400],
  [`pckcert?qeid=${"0".repeat(261)}&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000`, 400],
  [`pckcert?qeid=xy&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000`, 400],
  [`pckcert?qeid=${QE_ID}&cpusvn=${CPU_SVN}0&pcesvn=0d00&pceid=0000`, 400],
  [`pckcert?qeid=${QE_ID}&cpusvn=${CPU_SVN}&pcesvn=0d&pceid=0000`, 400],
  [`pckcert?qeid=${QE_ID}&cpusvn=${CPU_SVN}&pcesvn=0d00`, 400],
  [`pckcert?qeid=${QE_ID}&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000&encrypted_ppid=`, 400],
  [`pckcert?qeid=${QE_ID}&cpusvn=${CPU_SVN}&pcesvn=0d00&pceid=0000&encrypted_ppid=00`, 400],
  ["pckcrl", 400],
  ["pckcrl?ca=root", 400],
  ["pckcrl?uri=https%3A%2F%2Fevil%2F", 400],
  ["tcb", 400],
  ["tcb?fmspc=00606a00000", 400],
  ["tcb?fmspc=00606a00000%00", 400],
  ["tcb?fmspc=00606a0000%C3%A9", 400],
  ["tcb?fmspc=00606a000000&update=late", 400],
  ["qe/identity?update=late", 500],
  ["qve/identity?update=late", 500],
  ["crl", 400],
  [`crl?uri=https://x/${"a".repeat(2048)}`, 400],
  ["crl?uri=https://x/%0d%0aX: y", 400],
];

for (const [path, status] of WRONG) {
  test(`${path.length > 60 ? `${path.slice(0, 60)}... (${path.length})` : path} is ${status} and asks nobody`, async (t) => {
    const { ask, service } = await serve(t);
    const reply = await ask("GET", `${V4}/${path.replaceAll(" ", "%20")}`);
    assert.equal(reply.status, status);
    assert.deepEqual(service.asked, []);
  });
}

test("of several values the first counts, whatever its name is written like", async (t) => {
  const { ask, service } = await serve(t);
  await ask("GET", `${V4}/tcb?fmspc=00606a000000&fmspc=111111111111`);
  await ask("GET", `${V4}/tcb?fmspc[]=00606a000001&fmspc=111111111111`);
  await ask("GET", `${V4}/tcb?%66mspc=%30%30606a000002&fmspc=111111111111`);
  assert.deepEqual(service.asked, [
    "tcb-info/sgx/00606A000000/standard/v4",
    "tcb-info/sgx/00606A000001/standard/v4",
    "tcb-info/sgx/00606A000002/standard/v4",
  ]);
});
