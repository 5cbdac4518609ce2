import { createHash } from "node:crypto";
import { ManualClock, type SoftwarePki, softwarePki, TEST_FMSPC, TEST_TCB_LEVELS } from "@confcom/collateral/testing";

/** Serial numbers of the test PKI are 20 bytes, behind the version in every certificate. */
const BEFORE_SERIAL = Buffer.of(0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x14);
const SERIAL_SIZE = 20;
const PCE_ID = "0000";
/** As a platform at the highest level of the test PKI reports it. */
const RAW_TCB = { cpuSvn: Buffer.from(TEST_TCB_LEVELS[0]?.components ?? []).toString("hex"), pceSvn: "0D00" } as const;

export interface FleetPlatform {
  readonly qeId: string;
  readonly pceId: string;
  /** 768 digits. */
  readonly encryptedPpid: string;
  readonly cpuSvn: string;
  readonly pceSvn: string;
}

/** One authority, whose keys are made of its name: what was seeded once is still under its root in the next run. */
export function benchmarkAuthority(): SoftwarePki {
  return softwarePki({ name: "benchmark", clock: new ManualClock(Date.now()) });
}

export function fleetPlatform(index: number): FleetPlatform {
  const name = digest(`platform ${index}`);
  return {
    qeId: name.slice(0, 32),
    pceId: PCE_ID,
    encryptedPpid: name.repeat(12),
    cpuSvn: RAW_TCB.cpuSvn.toUpperCase(),
    pceSvn: RAW_TCB.pceSvn,
  };
}

/** TCBm of the certificate number `level` of a platform; number 0 is the one that is asked for. */
export function fleetTcbm(level: number): string {
  const cpuSvn = level.toString(16).padStart(2, "0") + RAW_TCB.cpuSvn.slice(2);
  return ((level === 0 ? RAW_TCB.cpuSvn : cpuSvn) + RAW_TCB.pceSvn).toUpperCase();
}

/**
 * Certificates as many as wanted, at once: one genuine PCK certificate with a serial number of its own each time, so every one
 * has its own bytes and the size of a real one. Their signatures are wrong, which nothing measured here looks at: the
 * service checks what comes in, not what it has.
 */
export function certificateMaker(authority: SoftwarePki): (name: string) => string {
  const pem = authority.pckCertificate({ ca: "platform", fmspc: TEST_FMSPC, pceId: PCE_ID });
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const at = der.indexOf(BEFORE_SERIAL) + BEFORE_SERIAL.length;
  return (name) => {
    const serial = Buffer.from(digest(name), "hex").subarray(0, SERIAL_SIZE);
    serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
    serial.copy(der, at);
    const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
  };
}

/** The request as Intel's QCNL writes it (spec: DCAP §13). */
export function pckCertificateTarget({ qeId, encryptedPpid, cpuSvn, pceSvn, pceId }: FleetPlatform): string {
  const query = `qeid=${qeId}&encrypted_ppid=${encryptedPpid}&cpusvn=${cpuSvn}&pcesvn=${pceSvn}&pceid=${pceId}`;
  return `/sgx/certification/v4/pckcert?${query}`;
}

export const TCB_TARGET = `/sgx/certification/v4/tcb?fmspc=${TEST_FMSPC}`;

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").toUpperCase();
}
