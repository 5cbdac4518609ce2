import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTRIBUTE_FLAGS, fromHex, KEY_NAME, KEY_POLICY, type KeyRequest, toHex, writeU16 } from "@confcom/sgx";
import { cmac } from "../../crypto/cmac-once.ts";
import { CPU_SVN_NAMES, CPU_SVNS, type CpuSvnName } from "./cpu-svn.ts";
import { egetkey } from "./egetkey.ts";
import { enclaveIdentity, targetInfoOf } from "./enclave-identity.ts";
import { type Fuses, SIMULATION_REPORT_SECRETS } from "./fuses.ts";
import { reportKey } from "./report-key.ts";

/** The simulation's own base keys, public constants (spec: DCAP §2). */
const FUSES: Fuses = {
  profile: "sdk-simulation",
  ...SIMULATION_REPORT_SECRETS,
  sealBaseKey: fromHex("00112233445566778899aabbccddeeff"),
  provisionBaseKey: fromHex("bbaabbeeff0000ddbbaabbeeff0000dd"),
  provisionSealBaseKey: new TextEncoder().encode("PROVISIONSEALKEY"),
};

const { INIT, MODE64BIT, PROVISIONKEY, KSS, DEBUG } = ATTRIBUTE_FLAGS;

const ENCLAVE = enclaveIdentity({
  mrEnclave: new Uint8Array(32).fill(0x11),
  mrSigner: new Uint8Array(32).fill(0x22),
  attributes: { flags: INIT | MODE64BIT | PROVISIONKEY | KSS, xfrm: 3n },
  miscSelect: 1,
  isvProdId: 5,
  isvSvn: 9,
  configSvn: 3,
  configId: new Uint8Array(64).fill(0x33),
  isvFamilyId: new Uint8Array(16).fill(0x44),
  isvExtProdId: new Uint8Array(16).fill(0x55),
});

const REQUEST: KeyRequest = {
  keyName: KEY_NAME.SEAL,
  keyPolicy: KEY_POLICY.MRSIGNER,
  isvSvn: 9,
  cpuSvn: CPU_SVNS.default,
  attributeMask: { flags: ~MODE64BIT & 0xffffffffffffffffn, xfrm: 0n },
  keyId: new Uint8Array(32).fill(0x66),
  miscMask: 0xffffffff,
  configSvn: 0,
};

const ask = (request: Partial<KeyRequest>, platform: CpuSvnName = "default", enclave = ENCLAVE) =>
  toHex(egetkey(FUSES, platform, enclave, { ...REQUEST, ...request }));

test("a SEAL key is the CMAC of its 280-byte derivation structure", () => {
  const data = new Uint8Array(280);
  writeU16(data, 0, 4);
  writeU16(data, 2, KEY_POLICY.MRSIGNER | KEY_POLICY.MRENCLAVE | KEY_POLICY.CONFIGID | KEY_POLICY.ISVFAMILYID);
  data[8] = 0x91; // INIT, PROVISIONKEY, KSS; MODE64BIT is masked off
  data.set(fromHex("fbffffffffffffff"), 24);
  data[40] = 1; // MISCSELECT; its inverted mask at 44 is zero
  data.set(FUSES.ownerEpoch, 48);
  data.set(CPU_SVNS.default, 64);
  data[80] = 9;
  data[82] = 5;
  data[84] = 2;
  data.fill(0x33, 86, 150);
  data.fill(0x44, 150, 166);
  data.fill(0x11, 182, 214);
  data.fill(0x22, 214, 246);
  data.fill(0x66, 246, 278);
  const { MRSIGNER, MRENCLAVE, CONFIGID, ISVFAMILYID } = KEY_POLICY;
  const keyPolicy = MRSIGNER | MRENCLAVE | CONFIGID | ISVFAMILYID;
  assert.equal(ask({ keyPolicy, configSvn: 2 }), toHex(cmac(FUSES.sealBaseKey, data)));
});

test("a PROVISION key is the CMAC of its 104-byte structure, without owner epoch or KEYID", () => {
  const data = new Uint8Array(104);
  writeU16(data, 0, 1);
  data[8] = 0x91;
  data.set(fromHex("fbffffffffffffff"), 24);
  data[40] = 1;
  data.set(CPU_SVNS.default, 48);
  data[64] = 9;
  data[66] = 5;
  data.fill(0x22, 68, 100);
  const key = toHex(cmac(FUSES.provisionBaseKey, data));
  assert.equal(ask({ keyName: KEY_NAME.PROVISION }), key);
  assert.equal(ask({ keyName: KEY_NAME.PROVISION, keyId: new Uint8Array(32) }), key);
});

test("a PROVISION_SEAL key is the CMAC of its 200-byte structure", () => {
  const data = new Uint8Array(200);
  writeU16(data, 0, 2);
  writeU16(data, 2, KEY_POLICY.NOISVPRODID | KEY_POLICY.ISVEXTPRODID);
  data[8] = 0x91;
  data.set(fromHex("fbffffffffffffff"), 24);
  data[40] = 1;
  data.set(CPU_SVNS.default, 48);
  data[64] = 9;
  data.fill(0x55, 150, 166);
  data.fill(0x22, 166, 198);
  const keyPolicy = KEY_POLICY.NOISVPRODID | KEY_POLICY.ISVEXTPRODID;
  assert.equal(ask({ keyName: KEY_NAME.PROVISION_SEAL, keyPolicy }), toHex(cmac(FUSES.provisionSealBaseKey, data)));
});

test("a REPORT key is the one EREPORT uses for this enclave at the current CPUSVN, whatever CPUSVN is asked", () => {
  for (const platform of CPU_SVN_NAMES) {
    const expected = reportKey(FUSES, targetInfoOf(ENCLAVE), CPU_SVNS[platform], REQUEST.keyId);
    for (const cpuSvn of [CPU_SVNS.upgraded, new Uint8Array(16).fill(7)]) {
      assert.equal(ask({ keyName: KEY_NAME.REPORT, cpuSvn, isvSvn: 99 }, platform), toHex(expected));
    }
  }
});

test("the three-value rule: which CPUSVN a platform derives under", () => {
  const zero = new Uint8Array(16);
  const fourth = new Uint8Array(16).fill(1);
  const table: readonly [CpuSvnName, Uint8Array, boolean][] = [
    ["upgraded", CPU_SVNS.upgraded, true],
    ["upgraded", CPU_SVNS.default, true],
    ["upgraded", CPU_SVNS.downgraded, true],
    ["upgraded", zero, true],
    ["upgraded", fourth, false],
    ["default", CPU_SVNS.upgraded, false],
    ["default", CPU_SVNS.default, true],
    ["default", CPU_SVNS.downgraded, true],
    ["default", zero, true],
    ["default", fourth, false],
    ["downgraded", CPU_SVNS.upgraded, false],
    ["downgraded", CPU_SVNS.default, false],
    ["downgraded", CPU_SVNS.downgraded, true],
    ["downgraded", zero, true],
    ["downgraded", fourth, false],
  ];
  for (const keyName of [KEY_NAME.SEAL, KEY_NAME.PROVISION, KEY_NAME.PROVISION_SEAL]) {
    for (const [platform, cpuSvn, allowed] of table) {
      const what = `${keyName} at ${platform} asking ${toHex(cpuSvn)}`;
      if (allowed) assert.equal(ask({ keyName, cpuSvn }, platform).length, 32, what);
      else assert.throws(() => ask({ keyName, cpuSvn }, platform), { code: "EGETKEY_INVALID_CPUSVN" }, what);
    }
  }
});

test("the same request gives the same key at every platform CPUSVN that allows it; zero means the default value", () => {
  assert.equal(ask({ cpuSvn: CPU_SVNS.downgraded }, "upgraded"), ask({ cpuSvn: CPU_SVNS.downgraded }, "downgraded"));
  assert.equal(ask({ cpuSvn: new Uint8Array(16) }, "downgraded"), ask({ cpuSvn: CPU_SVNS.default }, "upgraded"));
});

test("the refusal table", () => {
  const without = (flag: bigint) =>
    enclaveIdentity({ ...ENCLAVE, attributes: { flags: ENCLAVE.attributes.flags & ~flag, xfrm: 3n } });
  const table: readonly [string, Partial<KeyRequest>, string, typeof ENCLAVE?][] = [
    ["ISVSVN above the enclave's", { isvSvn: 10 }, "EGETKEY_INVALID_ISVSVN"],
    ["the same for PROVISION", { keyName: KEY_NAME.PROVISION, isvSvn: 10 }, "EGETKEY_INVALID_ISVSVN"],
    ["the same for PROVISION_SEAL", { keyName: KEY_NAME.PROVISION_SEAL, isvSvn: 10 }, "EGETKEY_INVALID_ISVSVN"],
    ["CONFIGSVN above the enclave's", { configSvn: 4 }, "EGETKEY_INVALID_ISVSVN"],
    ["PROVISION without PROVISIONKEY", { keyName: 1 }, "EGETKEY_INVALID_ATTRIBUTE", without(PROVISIONKEY)],
    ["PROVISION_SEAL without PROVISIONKEY", { keyName: 2 }, "EGETKEY_INVALID_ATTRIBUTE", without(PROVISIONKEY)],
    ["EINITTOKEN", { keyName: KEY_NAME.EINITTOKEN }, "EGETKEY_INVALID_KEYNAME"],
    ["an unknown key name", { keyName: 5 }, "EGETKEY_INVALID_KEYNAME"],
    ["a reserved policy bit", { keyPolicy: 0x40 }, "EGETKEY_INVALID_REQUEST"],
    ...[KEY_POLICY.NOISVPRODID, KEY_POLICY.CONFIGID, KEY_POLICY.ISVFAMILYID, KEY_POLICY.ISVEXTPRODID].map(
      (keyPolicy): [string, Partial<KeyRequest>, string, typeof ENCLAVE] => [
        `policy 0x${keyPolicy.toString(16)} without KSS`,
        { keyPolicy },
        "EGETKEY_INVALID_ATTRIBUTE",
        without(KSS),
      ],
    ),
  ];
  for (const [what, request, code, enclave] of table) {
    assert.throws(() => ask(request, "default", enclave ?? ENCLAVE), { code }, what);
  }
  assert.equal(ask({}, "default", without(PROVISIONKEY | KSS)).length, 32, "SEAL needs neither attribute");
});

test("a debug enclave gets other keys, even when the mask leaves DEBUG out", () => {
  const debug = enclaveIdentity({ ...ENCLAVE, attributes: { flags: ENCLAVE.attributes.flags | DEBUG, xfrm: 3n } });
  const attributeMask = { flags: 0n, xfrm: 0n };
  for (const keyName of [KEY_NAME.SEAL, KEY_NAME.PROVISION, KEY_NAME.PROVISION_SEAL]) {
    assert.notEqual(ask({ keyName, attributeMask }), ask({ keyName, attributeMask }, "default", debug));
  }
});

test("unselected fields do not change a key, selected ones do", () => {
  const other = enclaveIdentity({
    ...ENCLAVE,
    mrEnclave: new Uint8Array(32).fill(0x99),
    configId: new Uint8Array(64).fill(0x99),
  });
  assert.equal(ask({}), ask({}, "default", other));
  assert.notEqual(ask({ keyPolicy: KEY_POLICY.MRENCLAVE }), ask({ keyPolicy: KEY_POLICY.MRENCLAVE }, "default", other));
  assert.notEqual(ask({ keyPolicy: KEY_POLICY.CONFIGID }), ask({ keyPolicy: KEY_POLICY.CONFIGID }, "default", other));
});
