import type { CertificationCa } from "../request.ts";

/** Which PCK CA a common name is of, as everybody tells the two apart (spec: DCAP §8). Unchecked: it only says what to ask for. */
export function pckCaNamed(commonName: string): CertificationCa {
  return commonName.includes("Processor") ? "processor" : "platform";
}
