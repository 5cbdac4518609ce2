import type {
  DocumentTimes,
  PlatformKey,
  RawTcbKey,
  StoreChange,
  StoredCrl,
  StoredJson,
  StoredPlatform,
  StoredRegistration,
} from "../store.ts";

/** Rows that differ by a number: the store does not look into them. */

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");

export function platformKey(n: number): PlatformKey {
  return { qeId: hex(n, 32), pceId: "0000" };
}

export function rawTcb(n: number, svn = 0): RawTcbKey {
  return { ...platformKey(n), cpuSvn: hex(svn, 32), pceSvn: "0D00" };
}

export function platform(n: number, fmspc = "00A067110000"): StoredPlatform {
  return { ...platformKey(n), platformManifest: "", encryptedPpid: hex(n, 768), fmspc, ca: "platform" };
}

export function tcbm(n: number): string {
  return hex(n, 36);
}

export function certificate(n: number, level = 0): { readonly tcbm: string; readonly certificate: string } {
  return { tcbm: tcbm(level), certificate: `-----BEGIN CERTIFICATE-----\n${n}.${level}\n-----END CERTIFICATE-----\n` };
}

/** A platform with one certificate at one raw TCB: three rows. */
export function wholePlatform(n: number): StoreChange[] {
  return [
    { put: "platform", platform: platform(n) },
    { put: "pck-certificate", key: platformKey(n), certificate: certificate(n) },
    { put: "platform-tcb", key: rawTcb(n), tcbm: tcbm(0) },
  ];
}

export const DAY = 86_400_000;
export const ISSUED = Date.UTC(2026, 0, 1);

export function times(day: number): DocumentTimes {
  return { issued: ISSUED + day * DAY, nextUpdate: ISSUED + (day + 30) * DAY };
}

export function crl(day: number, size = 100): StoredCrl {
  return { crl: new Uint8Array(size).fill(day + 1), issuerChain: `chain ${day}`, ...times(day) };
}

export function json(day: number, text = `{"day":${day}}`): StoredJson {
  return { body: text, issuerChain: `chain ${day}`, ...times(day) };
}

export function registration(n: number, state: StoredRegistration["state"] = "new"): StoredRegistration {
  return { ...rawTcb(n), encryptedPpid: hex(n, 768), platformManifest: "", state };
}
