import type { StoreChange, StoredRegistration } from "@confcom/collateral/store";

/** Rows that differ by a number. */

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");

export const platformKey = (n: number) => ({ qeId: hex(n, 32), pceId: "0000" });
export const rawTcb = (n: number) => ({ ...platformKey(n), cpuSvn: hex(1, 32), pceSvn: "0D00" });

/** Of the size that Intel's have. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${"MIIE".repeat(430)}\n-----END CERTIFICATE-----\n`;

/** A platform with one certificate at one raw TCB: three rows. `mark` comes back in its FMSPC. */
export function wholePlatform(n: number, mark = 0): StoreChange[] {
  return [
    {
      put: "platform",
      platform: {
        ...platformKey(n),
        platformManifest: "",
        encryptedPpid: hex(n, 768),
        fmspc: hex(mark, 12),
        ca: "platform",
      },
    },
    { put: "pck-certificate", key: platformKey(n), certificate: { tcbm: hex(n, 36), certificate: CERTIFICATE } },
    { put: "platform-tcb", key: rawTcb(n), tcbm: hex(n, 36) },
  ];
}

export const chain: StoreChange = { put: "pck-chain", ca: "platform", issuerChain: "intermediate and root" };

export function rootCaCrl(issued: number): StoreChange {
  return { put: "root-ca-crl", crl: { crl: Uint8Array.of(1, 2), issuerChain: "", issued, nextUpdate: issued + 1 } };
}

export function registration(n: number): StoredRegistration {
  return { ...rawTcb(n), encryptedPpid: "", platformManifest: "", state: "new" };
}
