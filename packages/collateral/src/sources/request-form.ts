import { CollateralError } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";

const HEX = /^[0-9A-Fa-f]*$/;
const QE_ID_LIMIT = 260;

/** Fails with PARAMETER unless a value is so many hexadecimal digits. */
export function checkDigits(name: string, value: string, digits: number, source: string): void {
  if (value.length === digits && HEX.test(value)) return;
  throw new CollateralError("PARAMETER", `${source}: ${name} is not ${digits} hexadecimal digits`, { source });
}

/** Values become parts of URLs as they are: only digits do. Fails with PARAMETER. */
export function checkForm(request: CollateralRequest, source: string): void {
  if (request.kind === "tcb-info") checkDigits("fmspc", request.fmspc, 12, source);
  if (request.kind !== "pck-certificate") return;
  const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid } = request;
  if (qeId.length > QE_ID_LIMIT || !HEX.test(qeId)) {
    const message = `${source}: qeId is not hexadecimal of at most ${QE_ID_LIMIT} digits`;
    throw new CollateralError("PARAMETER", message, { source });
  }
  checkDigits("cpuSvn", cpuSvn, 32, source);
  checkDigits("pceSvn", pceSvn, 4, source);
  checkDigits("pceId", pceId, 4, source);
  if (encryptedPpid !== undefined) checkDigits("encryptedPpid", encryptedPpid, 768, source);
}
