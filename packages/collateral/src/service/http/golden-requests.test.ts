import assert from "node:assert/strict";
import { test } from "node:test";
import { requestKey } from "../../request.ts";
import { GOLDEN_REQUESTS, type GoldenRequest } from "../../sources/testing/golden-requests.ts";
import { serve } from "./testing/served.ts";

const TYPES = { pem: /x-pem-file/, json: /json/, hex: /x-pem-file|pkix-crl/, der: /^application\/pkix-crl$/ } as const;

/**
 * Where this service knowingly does other than the reference: az-dcap-client reads JSON certificates and names CRLs by
 * URL, and could use neither of the reference's answers (PEM, 400).
 */
function served(golden: GoldenRequest): Pick<GoldenRequest, "status" | "encoding" | "answerHeaders"> {
  if (golden.client !== "az-dcap-client") return golden;
  if (golden.path.includes("/pckcert?")) return { ...golden, encoding: "json" };
  if (!golden.path.includes("/pckcrl?uri=")) return golden;
  return { status: 200, encoding: "hex", answerHeaders: ["SGX-PCK-CRL-Issuer-Chain"] };
}

for (const golden of GOLDEN_REQUESTS) {
  test(`${golden.client}: ${golden.name}`, async (t) => {
    const { ask, service } = await serve(t);
    const reply = await ask("GET", golden.path, { ...golden.headers });
    const { status, encoding, answerHeaders = [] } = served(golden);
    if (golden.asks !== undefined) assert.deepEqual(service.asked, [requestKey(golden.asks)]);
    assert.equal(reply.status, status);
    for (const header of answerHeaders) assert.ok(reply.headers[header.toLowerCase()], header);
    if (encoding !== undefined) assert.match(String(reply.headers["content-type"]), TYPES[encoding]);
  });
}
