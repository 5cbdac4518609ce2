import { decodePemCertificates, parseCertificate } from "@confcom/verify";
import { pckCaNamed } from "../../check/pck-ca.ts";
import type { ApiVersion, CertificationCa, CollateralRequest } from "../../request.ts";
import { jsonObject } from "../json-answer.ts";
import { unusable } from "../unusable.ts";

type DocumentRequest = Extract<CollateralRequest, { readonly kind: "tcb-info" | "identity" }>;

function inner(text: string, member: string, source: string): Readonly<Record<string, unknown>> {
  const value = jsonObject(text, source, "a document")[member];
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function apiVersion(tcbInfoVersion: unknown): ApiVersion {
  return tcbInfoVersion === 2 ? 3 : 4;
}

/** Whether a document says that it is what is asked for. Files do not say whether they are early: they stand for standard. */
export function isDocumentOf(request: DocumentRequest, text: string, source: string): boolean {
  if (request.update === "early") return false;
  if (request.kind === "identity") return inner(text, "enclaveIdentity", source).id === request.id;
  const { fmspc, id, version } = inner(text, "tcbInfo", source);
  const tee = id === "TDX" ? "tdx" : "sgx";
  return (
    typeof fmspc === "string" &&
    fmspc.toUpperCase() === request.fmspc.toUpperCase() &&
    tee === request.tee &&
    apiVersion(version) === request.version
  );
}

/** Which PCK CA a chain belongs to, by the name of its first certificate (spec: DCAP §8). Fails with SOURCE_ANSWER. */
export function caOfChain(pem: string, source: string): CertificationCa {
  try {
    const [der] = decodePemCertificates(new TextEncoder().encode(pem)) ?? [];
    if (der === undefined) throw new Error("no certificate");
    return pckCaNamed(parseCertificate(der).subject.commonName);
  } catch (error) {
    throw unusable(source, "the PCK CRL's issuer chain", "cannot be read", error);
  }
}
