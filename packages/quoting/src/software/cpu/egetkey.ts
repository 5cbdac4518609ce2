import {
  ATTRIBUTE_FLAGS,
  type Attributes,
  encodeAttributes,
  KEY_NAME,
  KEY_POLICY,
  type KeyRequest,
  writeU16,
  writeU32,
} from "@confcom/sgx";
import { cmac } from "../../crypto/cmac-once.ts";
import { PlatformError } from "../../errors.ts";
import { CPU_SVNS, type CpuSvnName, derivableCpuSvn } from "./cpu-svn.ts";
import { type EnclaveIdentity, targetInfoOf } from "./enclave-identity.ts";
import type { Fuses } from "./fuses.ts";
import { reportKey } from "./report-key.ts";

const KNOWN_POLICY = Object.values(KEY_POLICY).reduce((bits, bit) => bits | bit, 0);
/** Policy bits that came with Key Separation and Sharing, and need its attribute. */
const KSS_POLICY = KEY_POLICY.NOISVPRODID | KEY_POLICY.CONFIGID | KEY_POLICY.ISVFAMILYID | KEY_POLICY.ISVEXTPRODID;

/** INIT and DEBUG always count: a debug enclave never gets a production enclave's key. */
function maskedAttributes(request: KeyRequest, enclave: EnclaveIdentity): Attributes {
  const { INIT, DEBUG } = ATTRIBUTE_FLAGS;
  return {
    flags: (request.attributeMask.flags | INIT | DEBUG) & enclave.attributes.flags,
    xfrm: request.attributeMask.xfrm & enclave.attributes.xfrm,
  };
}

/** The fields all three derivation structures begin with: 48 bytes. */
function putCommonFields(data: Uint8Array, request: KeyRequest, enclave: EnclaveIdentity): void {
  writeU16(data, 0, request.keyName);
  data.set(encodeAttributes(maskedAttributes(request, enclave)), 8);
  data.set(encodeAttributes(request.attributeMask), 24);
  writeU32(data, 40, (request.miscMask & enclave.miscSelect) >>> 0);
  writeU32(data, 44, ~request.miscMask >>> 0);
}

/** Fields that count only when the policy asks for them: CONFIGSVN, CONFIGID, ISVFAMILYID, ISVEXTPRODID, 98 bytes. */
function putKssFields(data: Uint8Array, offset: number, request: KeyRequest, enclave: EnclaveIdentity): void {
  if ((request.keyPolicy & KEY_POLICY.CONFIGID) !== 0) {
    writeU16(data, offset, request.configSvn);
    data.set(enclave.configId, offset + 2);
  }
  if ((request.keyPolicy & KEY_POLICY.ISVFAMILYID) !== 0) data.set(enclave.isvFamilyId, offset + 66);
  if ((request.keyPolicy & KEY_POLICY.ISVEXTPRODID) !== 0) data.set(enclave.isvExtProdId, offset + 82);
}

function productId(request: KeyRequest, enclave: EnclaveIdentity): number {
  return (request.keyPolicy & KEY_POLICY.NOISVPRODID) === 0 ? enclave.isvProdId : 0;
}

function sealData(fuses: Fuses, request: KeyRequest, enclave: EnclaveIdentity, cpuSvn: Uint8Array): Uint8Array {
  const data = new Uint8Array(280);
  putCommonFields(data, request, enclave);
  writeU16(data, 2, request.keyPolicy);
  data.set(fuses.ownerEpoch, 48);
  data.set(cpuSvn, 64);
  writeU16(data, 80, request.isvSvn);
  writeU16(data, 82, productId(request, enclave));
  putKssFields(data, 84, request, enclave);
  if ((request.keyPolicy & KEY_POLICY.MRENCLAVE) !== 0) data.set(enclave.mrEnclave, 182);
  if ((request.keyPolicy & KEY_POLICY.MRSIGNER) !== 0) data.set(enclave.mrSigner, 214);
  data.set(request.keyId, 246);
  return data;
}

/** No owner epoch and no KEYID: stable for the life of the machine. */
function provisionData(request: KeyRequest, enclave: EnclaveIdentity, cpuSvn: Uint8Array): Uint8Array {
  const data = new Uint8Array(104);
  putCommonFields(data, request, enclave);
  data.set(cpuSvn, 48);
  writeU16(data, 64, request.isvSvn);
  writeU16(data, 66, enclave.isvProdId);
  data.set(enclave.mrSigner, 68);
  return data;
}

function provisionSealData(request: KeyRequest, enclave: EnclaveIdentity, cpuSvn: Uint8Array): Uint8Array {
  const data = new Uint8Array(200);
  putCommonFields(data, request, enclave);
  writeU16(data, 2, request.keyPolicy);
  data.set(cpuSvn, 48);
  writeU16(data, 64, request.isvSvn);
  writeU16(data, 66, productId(request, enclave));
  putKssFields(data, 68, request, enclave);
  data.set(enclave.mrSigner, 166);
  return data;
}

function checkPolicy(request: KeyRequest, enclave: EnclaveIdentity): void {
  if ((request.keyPolicy & ~KNOWN_POLICY) !== 0) {
    throw new PlatformError(
      "EGETKEY_INVALID_REQUEST",
      `key policy 0x${request.keyPolicy.toString(16)} has reserved bits`,
    );
  }
  if ((request.keyPolicy & KSS_POLICY) !== 0 && (enclave.attributes.flags & ATTRIBUTE_FLAGS.KSS) === 0n) {
    throw new PlatformError("EGETKEY_INVALID_ATTRIBUTE", "the key policy needs the KSS attribute");
  }
}

/** The checks of a key that belongs to a TCB; returns the CPUSVN to derive under. */
function checkVersions(platform: CpuSvnName, request: KeyRequest, enclave: EnclaveIdentity): Uint8Array {
  if (request.isvSvn > enclave.isvSvn) {
    throw new PlatformError(
      "EGETKEY_INVALID_ISVSVN",
      `ISVSVN ${request.isvSvn} asked for, the enclave has ${enclave.isvSvn}`,
    );
  }
  if (request.configSvn > enclave.configSvn) {
    throw new PlatformError(
      "EGETKEY_INVALID_ISVSVN",
      `CONFIGSVN ${request.configSvn} asked for, the enclave has ${enclave.configSvn}`,
    );
  }
  const cpuSvn = derivableCpuSvn(platform, request.cpuSvn);
  if (cpuSvn === undefined) {
    const asked = Buffer.from(request.cpuSvn).toString("hex");
    throw new PlatformError("EGETKEY_INVALID_CPUSVN", `CPUSVN ${asked} asked for at "${platform}"`);
  }
  return cpuSvn;
}

function checkProvisionKey(enclave: EnclaveIdentity): void {
  if ((enclave.attributes.flags & ATTRIBUTE_FLAGS.PROVISIONKEY) === 0n) {
    throw new PlatformError("EGETKEY_INVALID_ATTRIBUTE", "the enclave lacks the PROVISIONKEY attribute");
  }
}

/**
 * EGETKEY (spec: DCAP §2): the 16-byte key that this CPU gives this enclave. REPORT keys are for the platform's current
 * CPUSVN and whatever KEYID is asked; the others follow the TCB asked for, which must not be above the current one.
 * Fails with EGETKEY_* codes. EINITTOKEN keys belong to launch control, which the platform does not have.
 */
export function egetkey(fuses: Fuses, platform: CpuSvnName, enclave: EnclaveIdentity, request: KeyRequest): Uint8Array {
  checkPolicy(request, enclave);
  switch (request.keyName) {
    case KEY_NAME.REPORT:
      return reportKey(fuses, targetInfoOf(enclave), CPU_SVNS[platform], request.keyId);
    case KEY_NAME.SEAL:
      return cmac(fuses.sealBaseKey, sealData(fuses, request, enclave, checkVersions(platform, request, enclave)));
    case KEY_NAME.PROVISION:
      checkProvisionKey(enclave);
      return cmac(fuses.provisionBaseKey, provisionData(request, enclave, checkVersions(platform, request, enclave)));
    case KEY_NAME.PROVISION_SEAL:
      checkProvisionKey(enclave);
      return cmac(
        fuses.provisionSealBaseKey,
        provisionSealData(request, enclave, checkVersions(platform, request, enclave)),
      );
    default:
      throw new PlatformError("EGETKEY_INVALID_KEYNAME", `key name ${request.keyName}`);
  }
}
