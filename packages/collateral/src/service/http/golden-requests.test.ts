import assert from "node:assert/strict";
import { test } from "node:test";
import { requestKey } from "../../request.ts";
import { GOLDEN_REQUESTS, servedGolden } from "../../sources/testing/golden-requests.ts";
import { serve } from "./testing/served.ts";

const TYPES = {
  pem: /x-pem-file|pkix-crl/,
  json: /json/,
  hex: /x-pem-file|pkix-crl/,
  der: /^application\/pkix-crl$/,
} as const;

for (const golden of GOLDEN_REQUESTS) {
  test(`${golden.client}: ${golden.name}`, async (t) => {
    const { ask, service } = await serve(t);
    const reply = await ask("GET", golden.path, { ...golden.headers });
    const { status, encoding, answerHeaders = [] } = servedGolden(golden);
    if (golden.asks !== undefined) assert.equal(service.asked[0], requestKey(golden.asks));
    assert.equal(reply.status, status);
    for (const header of answerHeaders) assert.ok(reply.headers[header.toLowerCase()], header);
    // Intel's client would take it for its own configuration's.
    if (golden.client === "qcnl") assert.equal(reply.headers["cache-control"], undefined);
    if (encoding !== undefined) assert.match(String(reply.headers["content-type"]), TYPES[encoding]);
  });
}
