import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { fromHex } from "@confcom/sgx";
import { openProvisioningAuthority } from "./open-authority.ts";
import { qeIdentityText } from "./qe-identity.ts";
import { tcbInfoText } from "./tcb-info.ts";
import { QE, TemporaryState } from "./testing/temporary-authority.ts";

const ISSUED = new Date("2026-03-04T05:06:07.890Z");
const components = (svns: readonly number[]) => `[${svns.map((svn) => `{"svn":${svn}}`).join(",")}]`;

test("TCB info is, byte for byte, version 3 with Intel's member order and no white space", () => {
  const level = (svns: readonly number[], rest: string) =>
    `{"tcb":{"sgxtcbcomponents":${components(svns)},"pcesvn":16},${rest}}`;
  assert.equal(
    tcbInfoText(ISSUED, 3),
    '{"id":"SGX","version":3,"issueDate":"2026-03-04T05:06:07Z","nextUpdate":"2026-04-03T05:06:07Z",' +
      '"fmspc":"C0FC0A000000","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":3,"tcbLevels":[' +
      level(
        [100, 234, 79, 63, 160, 3, 12, 54, 56, 60, 50, 45, 79, 58, 141, 79],
        '"tcbDate":"2025-01-01T00:00:00Z","tcbStatus":"OutOfDate","advisoryIDs":["CONFCOM-SA-00001"]',
      ) +
      "," +
      level(
        [83, 57, 174, 140, 147, 174, 143, 60, 228, 50, 219, 146, 77, 15, 7, 51],
        '"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"UpToDate"',
      ) +
      "," +
      level(
        [72, 32, 243, 55, 106, 230, 178, 242, 3, 77, 59, 122, 75, 72, 167, 120],
        '"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"UpToDate"',
      ) +
      "]}",
  );
});

test("QE identity is, byte for byte, version 2 and says the software QE's own measurements", () => {
  assert.equal(
    qeIdentityText({ ...QE, miscSelect: 0x01020304 }, ISSUED, 3),
    '{"id":"QE","version":2,"issueDate":"2026-03-04T05:06:07Z","nextUpdate":"2026-04-03T05:06:07Z",' +
      '"tcbEvaluationDataNumber":3,"miscselect":"04030201","miscselectMask":"FFFFFFFF",' +
      '"attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000",' +
      '"mrsigner":"A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF","isvprodid":1,' +
      '"tcbLevels":[{"tcb":{"isvsvn":11},"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"UpToDate"}]}',
  );
});

test("both are signed, r || s, over exactly their bytes by the TCB signing certificate; one more byte and neither is", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const c = await authority.collateral();
  for (const [text, signature, chain] of [
    [c.tcb_info, c.tcb_info_signature, c.tcb_info_issuer_chain],
    [c.qe_identity, c.qe_identity_signature, c.qe_identity_issuer_chain],
  ] as const) {
    assert.match(signature, /^[0-9a-f]{128}$/);
    const key = { key: new X509Certificate(chain).publicKey, dsaEncoding: "ieee-p1363" } as const;
    assert.ok(verify("sha256", Buffer.from(text), key, fromHex(signature)));
    assert.equal(verify("sha256", Buffer.from(`${text} `), key, fromHex(signature)), false);
    assert.equal(JSON.stringify(JSON.parse(text)), text, "serialised again it is the same text");
  }
});
