import type { AuthorityCertificate } from "./authority-certificate.ts";
import type { AuthorityState } from "./authority-state.ts";
import type { ServingCertificate } from "./serving-certificate.ts";

/** Part of `/status`: the authorities, without their keys. */
export function authorityReport(state: AuthorityState | undefined, serving: ServingCertificate | undefined) {
  return {
    authority: {
      current: state === undefined ? null : known(state.current),
      next: state?.next === undefined ? null : known(state.next),
      previous: (state?.previous ?? []).map(known),
    },
    serving:
      serving === undefined
        ? null
        : {
            serialNumber: serving.serialNumber,
            notAfter: iso(serving.notAfter),
            authoritySerialNumber: serving.authority.serialNumber,
          },
  };
}

function known({ serialNumber, notBefore, notAfter }: AuthorityCertificate) {
  return { serialNumber, notBefore: iso(notBefore), notAfter: iso(notAfter) };
}

const iso = (at: number) => new Date(at).toISOString();
