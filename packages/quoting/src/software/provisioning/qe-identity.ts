import { encodeAttributes, toHex, writeU32 } from "@confcom/sgx";
import type { QeIdentityFacts } from "../provisioning-authority.ts";
import { COLLATERAL_LIFE_MS } from "./profile.ts";
import { isoSeconds } from "./timestamps.ts";

/** Every bit of the flags but MODE64BIT counts, none of XFRM: as in Intel's QE identity. */
const ATTRIBUTES_MASK = { flags: 0xfffffffffffffffbn, xfrm: 0n };
const TCB_DATE = "2026-01-01T00:00:00Z";

/**
 * QE identity version 2: the text that is signed, byte for byte (spec: DCAP §9). One TCB level, the quoting enclave's
 * own: there is no older software QE that could still be trusted.
 */
export function qeIdentityText(qe: QeIdentityFacts, issued: Date, tcbEvaluationDataNumber: number): string {
  const attributes = { flags: qe.attributes.flags & ATTRIBUTES_MASK.flags, xfrm: 0n };
  const miscSelect = new Uint8Array(4);
  writeU32(miscSelect, 0, qe.miscSelect);
  return JSON.stringify({
    id: "QE",
    version: 2,
    issueDate: isoSeconds(issued),
    nextUpdate: isoSeconds(new Date(issued.getTime() + COLLATERAL_LIFE_MS)),
    tcbEvaluationDataNumber,
    // Hex fields are the bytes as they lie in memory, so the u32 is little-endian.
    miscselect: upperHex(miscSelect),
    miscselectMask: "FFFFFFFF",
    attributes: upperHex(encodeAttributes(attributes)),
    attributesMask: upperHex(encodeAttributes(ATTRIBUTES_MASK)),
    mrsigner: upperHex(qe.mrSigner),
    isvprodid: qe.isvProdId,
    tcbLevels: [{ tcb: { isvsvn: qe.isvSvn }, tcbDate: TCB_DATE, tcbStatus: "UpToDate" }],
  });
}

function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}
