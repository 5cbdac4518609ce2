import type { AnswerTo } from "../answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import type { CollateralRequest, PckCertificateRequest } from "../request.ts";
import type { CollateralStore, MaybePromise, StoreChange, StoredCrl, StoredJson } from "../store/store.ts";

/** Everything but PCK certificates: what has an issue date, a nextUpdate and one row in the store. */
export type DocumentRequest = Exclude<CollateralRequest, PckCertificateRequest>;

export interface Document<R extends DocumentRequest = DocumentRequest> {
  readonly answer: AnswerTo<R>;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly nextUpdate: number;
}

/** At once where the store answers at once. */
export function readDocument<R extends DocumentRequest>(
  store: CollateralStore,
  request: R,
): MaybePromise<Document<R> | undefined> {
  const row = readRow(store, request);
  return row instanceof Promise ? row.then((found) => toDocument(request, found)) : toDocument(request, row);
}

function readRow(store: CollateralStore, request: DocumentRequest): MaybePromise<StoredCrl | StoredJson | undefined> {
  switch (request.kind) {
    case "pck-crl":
      return store.pckCrl(request.ca);
    case "tcb-info":
      return store.tcbInfo(request);
    case "identity":
      return store.identity(request);
    case "root-ca-crl":
      return store.rootCaCrl();
    case "crl":
      return store.crl(request.url);
  }
}

function toDocument<R extends DocumentRequest>(
  { kind }: R,
  row: StoredCrl | StoredJson | undefined,
): Document<R> | undefined {
  if (row === undefined) return undefined;
  const { issuerChain, issued, nextUpdate } = row;
  const content = "body" in row ? { body: row.body } : { crl: row.crl };
  const chained = kind === "root-ca-crl" || kind === "crl" ? {} : { issuerChain };
  // A row of this kind holds just these fields: readRow asked for it by the same kind.
  const answer = { kind, ...content, ...chained } as unknown as AnswerTo<R>;
  return { answer, issued, nextUpdate };
}

export function documentChange<R extends DocumentRequest>(
  request: R,
  answer: AnswerTo<R>,
  { issued, nextUpdate }: AnswerFacts,
): StoreChange {
  const times = { issued, nextUpdate };
  const content = answer as AnswerTo<DocumentRequest>;
  switch (content.kind) {
    case "pck-crl":
      return {
        put: "pck-crl",
        ca: (request as Extract<DocumentRequest, { kind: "pck-crl" }>).ca,
        crl: { crl: content.crl, issuerChain: content.issuerChain, ...times },
      };
    case "root-ca-crl":
      return { put: "root-ca-crl", crl: { crl: content.crl, issuerChain: "", ...times } };
    case "crl": {
      const { url } = request as Extract<DocumentRequest, { kind: "crl" }>;
      return { put: "crl", url, crl: { crl: content.crl, issuerChain: "", ...times } };
    }
    case "tcb-info": {
      const { tee, fmspc, version, update } = request as Extract<DocumentRequest, { kind: "tcb-info" }>;
      const json = { body: content.body, issuerChain: content.issuerChain, ...times };
      return { put: "tcb-info", key: { tee, fmspc, version, update }, json };
    }
    case "identity": {
      const { id, version, update } = request as Extract<DocumentRequest, { kind: "identity" }>;
      const json = { body: content.body, issuerChain: content.issuerChain, ...times };
      return { put: "identity", key: { id, version, update }, json };
    }
  }
}
