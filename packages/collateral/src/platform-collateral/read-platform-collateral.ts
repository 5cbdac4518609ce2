import type { ApiVersion, CertificationCa, IdentityName, TcbUpdate, Tee } from "../request.ts";
import {
  array,
  hex,
  hexBytes,
  type JsonObject,
  malformed,
  member,
  object,
  optionalHex,
  optionalText,
  pem,
  text,
} from "./fields.ts";
import type {
  CollateralIdentity,
  CollateralPlatform,
  CollateralTcbInfo,
  PlatformCertificates,
  PlatformCollateral,
} from "./platform-collateral.ts";

/** More than any cluster registers in one file; the transport bounds bytes. */
const PLATFORMS = 200_000;
/** The provisioning service gives one certificate per TCB level, a few dozen. */
const CERTIFICATES = 1_000;
const TCB_INFOS = 10_000;
const PEM_SIZE = 32 * 1024;
const CRL_SIZE = 16 * 1024 * 1024;
const JSON_SIZE = 4 * 1024 * 1024;
const MANIFEST_SIZE = 256 * 1024;

const TCB_INFO_MEMBERS: Readonly<Record<ApiVersion, readonly (readonly [string, Tee, TcbUpdate])[]>> = {
  3: [
    ["tcbinfo", "sgx", "standard"],
    ["tcbinfo_early", "sgx", "early"],
  ],
  4: [
    ["sgx_tcbinfo", "sgx", "standard"],
    ["sgx_tcbinfo_early", "sgx", "early"],
    ["tdx_tcbinfo", "tdx", "standard"],
    ["tdx_tcbinfo_early", "tdx", "early"],
  ],
};

export const IDENTITY_MEMBERS: readonly (readonly [string, IdentityName, TcbUpdate])[] = [
  ["qeidentity", "QE", "standard"],
  ["qeidentity_early", "QE", "early"],
  ["tdqeidentity", "TD_QE", "standard"],
  ["tdqeidentity_early", "TD_QE", "early"],
  ["qveidentity", "QVE", "standard"],
  ["qveidentity_early", "QVE", "early"],
];

/**
 * Decodes what JSON.parse made of a `platformcollateral` document, v3 or v4 form. Form only: nothing is checked against a
 * signature. Fails with PlatformCollateralRefusal 400, which names the member. `version`: that of the URL it was put to, where
 * the document has none.
 */
export function readPlatformCollateral(content: unknown, version?: ApiVersion): PlatformCollateral {
  const root = object(content, "the document");
  const collaterals = object(member(root, "collaterals"), "collaterals");
  const of = versionOf(member(collaterals, "version"), version);
  const chains = object(member(collaterals, "certificates"), "certificates");
  const pckChains = object(
    member(chains, "SGX-PCK-Certificate-Issuer-Chain"),
    "certificates.SGX-PCK-Certificate-Issuer-Chain",
  );
  const crls = optional(member(collaterals, "pckcacrl"), (value) => object(value, "pckcacrl"));
  const crl = (value: unknown, where: string) => optional(value, () => hexBytes(value, where, CRL_SIZE));
  const chain = (value: unknown, where: string) => optional(value, () => pem(value, where, PEM_SIZE));
  const url = optionalText(member(collaterals, "rootcacrl_cdp"), "rootcacrl_cdp", 2048);
  return {
    version: of,
    platforms: array(member(root, "platforms"), "platforms", PLATFORMS).map(platform),
    certificates: array(member(collaterals, "pck_certs"), "pck_certs", PLATFORMS).map(certificatesOf),
    tcbInfos: array(member(collaterals, "tcbinfos"), "tcbinfos", TCB_INFOS).flatMap((value, index) =>
      tcbInfos(value, `tcbinfos[${index}]`, of),
    ),
    identities: IDENTITY_MEMBERS.flatMap((names) => identity(collaterals, names)),
    pckCrls: byCa(
      crl(crls && member(crls, "processorCrl"), "pckcacrl.processorCrl"),
      crl(crls && member(crls, "platformCrl"), "pckcacrl.platformCrl"),
    ),
    pckChains: byCa(
      chain(member(pckChains, "PROCESSOR"), "the PCK chain of PROCESSOR"),
      chain(member(pckChains, "PLATFORM"), "the PCK chain of PLATFORM"),
    ),
    // Intel's tools write the v3 name into v4 files too.
    tcbInfoChain:
      chain(member(chains, "TCB-Info-Issuer-Chain"), "TCB-Info-Issuer-Chain") ??
      chain(member(chains, "SGX-TCB-Info-Issuer-Chain"), "SGX-TCB-Info-Issuer-Chain"),
    identityChain: chain(member(chains, "SGX-Enclave-Identity-Issuer-Chain"), "SGX-Enclave-Identity-Issuer-Chain"),
    rootCaCrl: crl(member(collaterals, "rootcacrl"), "rootcacrl"),
    rootCaCrlUrl: url === "" ? undefined : url,
  };
}

function versionOf(value: unknown, given: ApiVersion | undefined): ApiVersion {
  const version = value ?? given;
  if (version === 3 || version === 4) return version;
  throw malformed("collaterals.version", "is neither 3 nor 4");
}

function key(value: JsonObject, where: string): { readonly qeId: string; readonly pceId: string } {
  const qeId = text(member(value, "qe_id"), `${where}.qe_id`, 260).toUpperCase();
  if (qeId === "") throw malformed(`${where}.qe_id`, "is empty");
  return { qeId, pceId: hex(member(value, "pce_id"), `${where}.pce_id`, 4) };
}

function platform(content: unknown, index: number): CollateralPlatform {
  const where = `platforms[${index}]`;
  const value = object(content, where);
  return {
    ...key(value, where),
    cpuSvn: optionalHex(member(value, "cpu_svn"), `${where}.cpu_svn`, 32),
    pceSvn: optionalHex(member(value, "pce_svn"), `${where}.pce_svn`, 4),
    encryptedPpid: optionalHex(member(value, "enc_ppid"), `${where}.enc_ppid`, 768),
    platformManifest: optionalText(member(value, "platform_manifest"), `${where}.platform_manifest`, MANIFEST_SIZE),
  };
}

function certificatesOf(content: unknown, index: number): PlatformCertificates {
  const where = `pck_certs[${index}]`;
  const value = object(content, where);
  const certificates = array(member(value, "certs"), `${where}.certs`, CERTIFICATES);
  if (certificates.length === 0) throw malformed(`${where}.certs`, "is empty");
  return {
    ...key(value, where),
    certificates: certificates.map((entry, number) => {
      const certificate = object(entry, `${where}.certs[${number}]`);
      return {
        tcbm: hex(member(certificate, "tcbm"), `${where}.certs[${number}].tcbm`, 36),
        certificate: pem(member(certificate, "cert"), `${where}.certs[${number}].cert`, PEM_SIZE),
      };
    }),
  };
}

function tcbInfos(content: unknown, where: string, version: ApiVersion): CollateralTcbInfo[] {
  const value = object(content, where);
  const fmspc = hex(member(value, "fmspc"), `${where}.fmspc`, 12);
  return TCB_INFO_MEMBERS[version].flatMap(([name, tee, update]) => {
    const document = member(value, name);
    if (document === undefined || document === null) return [];
    // The text is made again from what was parsed: the signature tells whether it is the one that was signed.
    return [{ fmspc, tee, update, body: jsonText(object(document, `${where}.${name}`), `${where}.${name}`) }];
  });
}

function jsonText(value: JsonObject, where: string): string {
  return text(JSON.stringify(value), where, JSON_SIZE);
}

function identity(
  collaterals: JsonObject,
  [name, id, update]: readonly [string, IdentityName, TcbUpdate],
): CollateralIdentity[] {
  const value = member(collaterals, name);
  if (value === undefined || value === null || value === "") return [];
  return [{ id, update, body: text(value, name, JSON_SIZE) }];
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null || value === "" ? undefined : read(value);
}

function byCa<T>(processor: T | undefined, platformCa: T | undefined): Partial<Record<CertificationCa, T>> {
  return {
    ...(processor === undefined ? {} : { processor }),
    ...(platformCa === undefined ? {} : { platform: platformCa }),
  };
}
