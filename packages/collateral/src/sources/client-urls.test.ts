import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AzureQuery,
  azIdentityUrl,
  azPckCertificateUrl,
  azSgxCrlUrl,
  azTcbInfoUrl,
  azTdxBase,
  azTdxDocumentBase,
  azTdxPckCrlUrl,
  azTdxRootCaCrlUrl,
} from "./az-dcap-url.ts";
import {
  isIntelPcs,
  qcnlAppraisalPolicyUrl,
  qcnlCrlUrl,
  qcnlIdentityUrl,
  qcnlPckCertificateUrl,
  qcnlPckCrlUrl,
  qcnlRootCaCrlUrl,
  qcnlTcbInfoUrl,
  qcnlTeeBase,
} from "./qcnl-url.ts";
import {
  AZ_DCAP_GOLDEN_REQUESTS,
  GOLDEN_CPU_SVN,
  GOLDEN_CUSTOM_PARAMETER,
  GOLDEN_ENCRYPTED_PPID,
  GOLDEN_FMSPC,
  GOLDEN_PCE_ID,
  GOLDEN_PCE_SVN,
  GOLDEN_QE_ID,
  GOLDEN_REQUESTS,
  QCNL_GOLDEN_REQUESTS,
} from "./testing/golden-requests.ts";

const ORIGIN = "https://localhost:8081";
const platform = {
  qeId: GOLDEN_QE_ID,
  cpuSvn: GOLDEN_CPU_SVN,
  pceSvn: GOLDEN_PCE_SVN,
  pceId: GOLDEN_PCE_ID,
};
const withPpid = { ...platform, encryptedPpid: GOLDEN_ENCRYPTED_PPID };

function assertBuilt(urls: Iterable<string>, golden: readonly { readonly path: string }[]): void {
  const built = [...urls];
  assert.deepEqual(
    built.filter((url) => !golden.some(({ path }) => url === ORIGIN + path)),
    [],
    "built, and not in the table",
  );
  assert.deepEqual(
    golden.filter(({ path }) => !built.includes(ORIGIN + path)),
    [],
    "in the table, and not built",
  );
}

test("the builders for QCNL build exactly its golden requests", () => {
  const v3 = `${ORIGIN}/sgx/certification/v3/`;
  const v4 = `${ORIGIN}/sgx/certification/v4/`;
  const tdx = qcnlTeeBase(v4, "tdx") ?? "";
  const custom = GOLDEN_CUSTOM_PARAMETER;
  const urls = [
    qcnlPckCertificateUrl(v4, withPpid),
    qcnlPckCertificateUrl(v4, platform),
    qcnlPckCertificateUrl(v4, platform, { parameters: { "api-version": "2021-07-22-preview" } }),
    qcnlPckCertificateUrl(v3, platform),
    qcnlPckCrlUrl(v4, "platform", true, custom),
    qcnlTcbInfoUrl(v4, GOLDEN_FMSPC, "standard", custom),
    qcnlTcbInfoUrl(v3, GOLDEN_FMSPC, "standard"),
    qcnlIdentityUrl(v4, "qe", "standard", custom),
    qcnlRootCaCrlUrl(v4),
    qcnlRootCaCrlUrl(v4, custom),
    qcnlCrlUrl(v4, "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"),
  ];
  for (const ca of ["processor", "platform"] as const) {
    for (const der of [true, false]) urls.push(qcnlPckCrlUrl(v4, ca, der));
  }
  for (const update of ["standard", "early"] as const) {
    for (const base of [v4, tdx]) {
      urls.push(qcnlTcbInfoUrl(base, GOLDEN_FMSPC, update), qcnlIdentityUrl(base, "qe", update));
    }
    urls.push(qcnlIdentityUrl(v4, "qve", update));
  }
  // What older versions asked for without `update` stands in the table for the service's sake.
  assertBuilt(
    urls,
    QCNL_GOLDEN_REQUESTS.filter(({ name }) => !name.includes("older")),
  );
});

test("the builders for az-dcap-client build exactly its golden requests", () => {
  const query: AzureQuery = { version: "v4", clientId: "production_client" };
  const base = `${ORIGIN}/sgx/certification`;
  const tdx = azTdxDocumentBase(base);
  const urls = [
    azPckCertificateUrl(base, query, withPpid),
    azPckCertificateUrl(base, query, withPpid, "big"),
    azPckCertificateUrl(`${base}/`, query, platform),
    azTcbInfoUrl(base, query, GOLDEN_FMSPC),
    azTcbInfoUrl(base, { ...query, version: "v3" }, GOLDEN_FMSPC),
    azTcbInfoUrl(base, query, GOLDEN_FMSPC, GOLDEN_CUSTOM_PARAMETER),
    azTcbInfoUrl(tdx, query, GOLDEN_FMSPC),
    azIdentityUrl(base, query, "qe"),
    azIdentityUrl(base, query, "qve"),
    azIdentityUrl(tdx, query, "qe"),
    azTdxPckCrlUrl(base, query, "platform"),
    azTdxRootCaCrlUrl(base, query),
    ...(["processor", "platform", "root"] as const).map((crl) => azSgxCrlUrl(base, query, crl)),
  ];
  assertBuilt(
    urls,
    AZ_DCAP_GOLDEN_REQUESTS.filter(({ name }) => !name.includes("older")),
  );
});

test("every golden request is there once, and a URL parser leaves it as it is", () => {
  assert.equal(new Set(GOLDEN_REQUESTS.map(({ path }) => path)).size, GOLDEN_REQUESTS.length);
  for (const { path, status, asks } of GOLDEN_REQUESTS) {
    const url = new URL(path, ORIGIN);
    assert.equal(url.pathname + url.search, path);
    assert.equal(asks !== undefined, status === 200, path);
  }
});

test("where the clients differ: letter case, byte order, what is left out", () => {
  const query: AzureQuery = { version: "v3", clientId: "" };
  const url = azPckCertificateUrl("http://169.254.169.254/metadata/THIM/sgx/certification/", query, {
    ...platform,
    pceId: "0100",
  });
  assert.equal(
    url,
    "http://169.254.169.254/metadata/THIM/sgx/certification/v3/pckcert?qeid=1a2b3c4d5e6f708192a3b4c5d6e7f809" +
      "&cpusvn=0b0b100fffff01000000000000000000&pcesvn=0d00&pceid=0100&api-version=2021-07-22-preview",
  );
  assert.equal(
    azTdxPckCrlUrl(azTdxBase("westeurope", ".thim.azure.net/sgx/certification"), query, "platform"),
    "https://westeurope.thim.azure.net/sgx/certification/v3/pckcrl?ca=platform",
  );
  assert.equal(azTdxRootCaCrlUrl("https://a/sgx/certification", query), "https://a/sgx/certification/v3/rootcacrl");
});

test("a base without /sgx/ has no TDX; only Intel's host is the PCS; a distribution point cannot add parameters", () => {
  assert.equal(qcnlTeeBase("https://localhost/certification/", "tdx"), undefined);
  assert.equal(qcnlTeeBase("https://localhost/certification/", "sgx"), "https://localhost/certification/");
  assert.equal(isIntelPcs("https://api.trustedservices.intel.com/sgx/certification/v4/"), true);
  assert.equal(isIntelPcs("https://localhost:8081/sgx/certification/v4/"), false);
  assert.equal(
    qcnlCrlUrl(
      "https://h/",
      "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
    ),
    "https://h/crl?uri=https%3A%2F%2Fapi.trustedservices.intel.com%2Fsgx%2Fcertification%2Fv4%2Fpckcrl%3Fca%3Dplatform%26encoding%3Dder",
  );
  assert.equal(qcnlAppraisalPolicyUrl("https://h/", GOLDEN_FMSPC), `https://h/appraisalpolicy?fmspc=${GOLDEN_FMSPC}`);
});
