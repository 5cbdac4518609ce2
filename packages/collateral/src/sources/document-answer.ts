import type { AnswerTo } from "../answer.ts";
import { type HttpAnswer, maxAgeMs } from "../http/index.ts";
import type { CollateralRequest, PckCertificateRequest } from "../request.ts";
import type { Fetched } from "../source.ts";
import { crlDer } from "./crl-answer.ts";
import { signedJsonText } from "./json-answer.ts";
import { pckCertificateAnswer } from "./pck-certificate-answer.ts";
import { issuerChainPem } from "./pem-answer.ts";

function documentAnswer(
  request: Exclude<CollateralRequest, PckCertificateRequest>,
  answer: HttpAnswer,
  source: string,
) {
  const { headers, body } = answer;
  switch (request.kind) {
    case "tcb-info": {
      // Version 3 of the API has the longer name; some services send it for both.
      const chain = headers["tcb-info-issuer-chain"] ?? headers["sgx-tcb-info-issuer-chain"];
      const issuerChain = issuerChainPem(chain, source, "TCB-Info-Issuer-Chain");
      return { kind: request.kind, body: signedJsonText(body, "tcbInfo", source), issuerChain };
    }
    case "identity": {
      const name = "SGX-Enclave-Identity-Issuer-Chain";
      const issuerChain = issuerChainPem(headers[name.toLowerCase()], source, name);
      return { kind: request.kind, body: signedJsonText(body, "enclaveIdentity", source), issuerChain };
    }
    case "pck-crl": {
      const name = "SGX-PCK-CRL-Issuer-Chain";
      const crl = crlDer(body, source, "the PCK CRL");
      return { kind: request.kind, crl, issuerChain: issuerChainPem(headers[name.toLowerCase()], source, name) };
    }
    case "root-ca-crl":
      return { kind: request.kind, crl: crlDer(body, source, "the root CA CRL") };
    case "crl":
      return { kind: request.kind, crl: crlDer(body, source, "the CRL") };
  }
}

/** Reads a 200 of any service into the answer to the request that it was given for. Fails with SOURCE_ANSWER. */
export function answerTo<R extends CollateralRequest>(request: R, answer: HttpAnswer, source: string): Fetched<R> {
  if (request.kind === "pck-certificate") return pckCertificateAnswer(answer, source) as unknown as Fetched<R>;
  const age = maxAgeMs(answer.headers["cache-control"]);
  const read = documentAnswer(request, answer, source) as AnswerTo<R>;
  return { answer: read, ...(age === undefined ? {} : { maxAgeMs: age }) };
}
