import type { CollateralAnswer } from "../../answer.ts";
import { BODY_LIMITS } from "../../http/index.ts";
import type { CollateralRequest } from "../../request.ts";
import { crlDer } from "../crl-answer.ts";
import { signedJsonText, utf8Text } from "../json-answer.ts";
import { pckLeafFacts } from "../pck-leaf.ts";
import { issuerChainPem, leafPem } from "../pem-answer.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { isDocumentOf } from "./document-facts.ts";

/** Where one answer lies: the document, and its chain if it has one. */
interface FilePlace {
  readonly file: string;
  readonly chain?: string;
  /** The name of the file says all; else the document must say that it is the one. */
  readonly exact: boolean;
}

/** A tree like the PCCS's URLs; early documents end in `.early`. */
function treePlace(request: CollateralRequest): FilePlace | undefined {
  const chained = (stem: string, end: string) => ({ file: stem + end, chain: `${stem}.issuer-chain.pem`, exact: true });
  const sgx = "sgx/certification/v4";
  switch (request.kind) {
    case "pck-certificate": {
      const { qeId, pceId, cpuSvn, pceSvn } = request;
      return chained(`${sgx}/pckcert/${qeId}/${pceId}/${cpuSvn}${pceSvn}`, ".pem");
    }
    case "pck-crl":
      return chained(`${sgx}/pckcrl/${request.ca}`, ".der");
    case "tcb-info": {
      const early = request.update === "early" ? ".early" : "";
      return chained(`${request.tee}/certification/v${request.version}/tcb/${request.fmspc}${early}`, ".json");
    }
    case "identity": {
      const tee = request.id === "TD_QE" ? "tdx" : "sgx";
      const early = request.update === "early" ? ".early" : "";
      const enclave = request.id === "QVE" ? "qve" : "qe";
      return chained(`${tee}/certification/v${request.version}/${enclave}/identity${early}`, ".json");
    }
    case "root-ca-crl":
      return { file: `${sgx}/rootcacrl.der`, exact: true };
    case "crl":
      return undefined;
  }
}

/** The flat directory that `confcom collateral export` writes. */
function exportPlace(request: CollateralRequest): FilePlace | undefined {
  switch (request.kind) {
    case "pck-crl": {
      const stem = `pck-crl-${request.ca}`;
      return { file: `${stem}.der`, chain: `${stem}-issuer-chain.pem`, exact: true };
    }
    case "tcb-info":
      return { file: "tcb-info.json", chain: "tcb-info-issuer-chain.pem", exact: false };
    case "identity":
      return { file: "qe-identity.json", chain: "qe-identity-issuer-chain.pem", exact: false };
    case "root-ca-crl":
      return { file: "root-ca-crl.der", exact: true };
    default:
      return undefined;
  }
}

async function answerAt(
  place: FilePlace,
  request: Exclude<CollateralRequest, { readonly kind: "crl" }>,
  files: DirectoryFiles,
  source: string,
): Promise<CollateralAnswer | undefined> {
  const limit = request.kind === "tcb-info" || request.kind === "identity" ? BODY_LIMITS.json : BODY_LIMITS.crl;
  const found = await files.read(place.file, request.kind === "pck-certificate" ? BODY_LIMITS.certificate : limit);
  if (found === undefined) return undefined;
  if (request.kind === "root-ca-crl") return { kind: request.kind, crl: crlDer(found.bytes, source, place.file) };
  const member = request.kind === "identity" ? "enclaveIdentity" : "tcbInfo";
  const document = request.kind === "tcb-info" || request.kind === "identity";
  const body = document ? signedJsonText(found.bytes, member, source) : "";
  if (document && !place.exact && !isDocumentOf(request, body, source)) return undefined;

  const chain = place.chain ?? "";
  const chainFile = await files.read(chain, BODY_LIMITS.certificate);
  const chainText = chainFile === undefined ? "" : utf8Text(chainFile.bytes, source, chain);
  // "%" is no part of PEM, so what is not URL-encoded goes through the same door unchanged.
  const issuerChain = issuerChainPem(chainText, source, chain);
  if (request.kind === "tcb-info") return { kind: request.kind, body, issuerChain };
  if (request.kind === "identity") return { kind: request.kind, body, issuerChain };
  if (request.kind === "pck-crl")
    return { kind: request.kind, crl: crlDer(found.bytes, source, place.file), issuerChain };
  const certificate = leafPem(utf8Text(found.bytes, source, place.file), source, place.file);
  return { kind: request.kind, certificate, issuerChain, ...pckLeafFacts(certificate, source) };
}

/** The answer from a file of its own: in the tree, else in the flat export. Fails with SOURCE_ANSWER, SOURCE_UNREACHABLE. */
export async function singleFileAnswer(
  request: CollateralRequest,
  files: DirectoryFiles,
  source: string,
): Promise<CollateralAnswer | undefined> {
  if (request.kind === "crl") return undefined;
  for (const place of [treePlace(request), exportPlace(request)]) {
    const answer = place && (await answerAt(place, request, files, source));
    if (answer !== undefined) return answer;
  }
  return undefined;
}
