import type { AnswerTo, PckCertificateAnswer } from "../../answer.ts";
import type { Clock } from "../../clock.ts";
import { selectPckCertificate } from "../../pck-selection/index.ts";
import type { PckCertificateRequest } from "../../request.ts";
import type { CollateralSource } from "../../source.ts";
import { checkRequest, notFound } from "../http-source.ts";
import { pckLeafFacts } from "../pck-leaf.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { QCNL_FILE_LIMIT, readQcnlFile } from "./qcnl-file.ts";

export interface QcnlFilesSourceOptions {
  /** The directory `.dcap-qcnl`. */
  readonly files: DirectoryFiles;
  readonly clock: Pick<Clock, "now">;
}

/** Where Intel's provider looks when there is no file of the platform's own. */
const ANY_PLATFORM = "0000000000000000_0000";
const OWN_COMPONENTS = /^f{32}$/i;

/**
 * PCK certificates from the files that Intel's tool makes for machines without a service (`local_cache_only`): `<QE ID>_<PCEID>` in
 * lower case, else `0000000000000000_0000` (spec: DCAP §13). The certificate is chosen here, as Intel's provider does. Files are only
 * read: a damaged or expired one stays for its owner to see. Fails with NOT_FOUND (expired ones too), SOURCE_ANSWER, SOURCE_UNREACHABLE.
 */
export function qcnlFilesSource({ files, clock }: QcnlFilesSourceOptions): CollateralSource {
  const name = `QCNL files in ${files.name}`;

  async function pckCertificate(request: PckCertificateRequest) {
    const own = `${request.qeId}_${request.pceId}`.toLowerCase();
    for (const file of [own, ANY_PLATFORM]) {
      const found = await files.read(file, QCNL_FILE_LIMIT);
      if (found === undefined) continue;
      const { expires, components, tcbInfo, issuerChain, certificates } = readQcnlFile(found.bytes, name, file);
      if (expires <= clock.now()) throw notFound(name, `${file} is no longer to be used: its time is over`);
      const cpuSvn = OWN_COMPONENTS.test(components) ? request.cpuSvn : components;
      const chosen = selectPckCertificate(certificates, tcbInfo, { ...request, cpuSvn });
      if (chosen === undefined) throw notFound(name, `${file} has no certificate for this TCB`);
      const { certificate } = chosen.certificate;
      const answer: PckCertificateAnswer = {
        kind: "pck-certificate",
        certificate,
        issuerChain,
        ...pckLeafFacts(certificate, name),
      };
      return { answer, maxAgeMs: expires - clock.now() };
    }
    throw notFound(name, `has no file ${own}`);
  }

  return {
    kind: "directory",
    name,
    async fetch<R extends Parameters<CollateralSource["fetch"]>[0]>(request: R) {
      checkRequest("pck", request, name);
      const { answer, maxAgeMs } = await pckCertificate(request as PckCertificateRequest);
      return { answer: answer as AnswerTo<R>, maxAgeMs };
    },
  };
}
