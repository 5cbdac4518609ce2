import { type Collateral, toHex } from "@confcom/sgx";
import { type CertificateRole, sign, type Unsigned, unsign } from "./forge.ts";
import { mutateBytes } from "./mutations/bytes.ts";
import { type DerNode, derNodes, mutateDer } from "./mutations/der.ts";
import { type JsonNode, jsonNodes, mutateJson } from "./mutations/json.ts";
import { mutatePem } from "./mutations/pem.ts";
import {
  mutateHeaderAndBody,
  mutateQeReport,
  mutateQuoteLayout,
  type QuoteLayout,
  quoteLayout,
  withCertificationData,
} from "./mutations/quote.ts";
import { pemText } from "./pem-text.ts";
import type { Random } from "./random.ts";
import { quoteChain, type Subject } from "./subject.ts";

/** A subject to be changed, with and without its own signatures. */
export interface Base {
  readonly subject: Subject;
  readonly unsigned: Unsigned;
  readonly layout: QuoteLayout;
  readonly chain: readonly Uint8Array[];
}

/** A changed subject. */
export interface Mutated {
  readonly kind: MutationKind;
  readonly base: Base;
  readonly subject: Subject;
}

export function createBase(subject: Subject): Base {
  const { quote } = subject;
  return { subject, unsigned: unsign(subject), layout: quoteLayout(quote), chain: quoteChain(quote) };
}

const knownDer = new WeakMap<Uint8Array, readonly DerNode[]>();
const knownJson = new Map<string, readonly JsonNode[]>();

/** The DER of a base changed in one place; what its elements are is worked out once. */
function changedDer(random: Random, der: Uint8Array): Uint8Array {
  let nodes = knownDer.get(der);
  if (nodes === undefined) {
    nodes = derNodes(der);
    knownDer.set(der, nodes);
  }
  return mutateDer(random, nodes);
}

/** The JSON of a base changed in one place. */
function changedJson(random: Random, text: string): string {
  let nodes = knownJson.get(text);
  if (nodes === undefined) {
    nodes = jsonNodes(text);
    knownJson.set(text, nodes);
  }
  return mutateJson(random, text, nodes);
}

function changedText(random: Random, text: string): string {
  // A plain copy: `slice` of a Buffer would change the original.
  return Buffer.from(mutateBytes(random, Uint8Array.from(Buffer.from(text, "latin1")))).toString("latin1");
}

const CHAINS = ["pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"] as const;
const CRLS = ["root_ca_crl", "pck_crl"] as const;
const DOCUMENTS = ["tcb_info", "qe_identity"] as const;
const SIGNATURES = ["tcb_info_signature", "qe_identity_signature"] as const;

function withQuote({ subject }: Base, quote: Uint8Array): Subject {
  return { ...subject, quote };
}

function withField({ subject }: Base, name: keyof Collateral, value: string): Subject {
  return { ...subject, collateral: { ...subject.collateral, [name]: value } };
}

const knownCrls = new Map<string, Uint8Array>();

function crlDer(hex: string): Uint8Array {
  let der = knownCrls.get(hex);
  if (der === undefined) {
    der = new Uint8Array(Buffer.from(hex, "hex"));
    knownCrls.set(hex, der);
  }
  return der;
}

function changedChain(random: Random, chain: readonly Uint8Array[]): string {
  const at = random.below(chain.length);
  return pemText(...chain.map((der, i) => (i === at ? changedDer(random, der) : der)));
}

type Make = (random: Random, base: Base, others: readonly Base[]) => Subject;

function signedAgain(base: Base, change: Partial<Unsigned>): Subject {
  return sign({ ...base.unsigned, ...change });
}

/** Every kind of change: what it does, and how many of a hundred inputs are of it. */
const MUTATIONS = {
  "quote bytes": [20, (random, base) => withQuote(base, mutateBytes(random, base.subject.quote))],
  "quote layout": [17, (random, base) => withQuote(base, mutateQuoteLayout(random, base.subject.quote, base.layout))],
  "quote chain, PEM": [
    7,
    (random, base) => {
      const { quote } = base.subject;
      const text = Buffer.from(quote.subarray(base.layout.certificationDataAt)).toString("latin1");
      const data = Buffer.from(mutatePem(random, text), "latin1");
      return withQuote(base, withCertificationData(quote, base.layout, data));
    },
  ],
  "quote chain, DER": [
    9,
    (random, base) => {
      const data = new TextEncoder().encode(changedChain(random, base.chain));
      return withQuote(base, withCertificationData(base.subject.quote, base.layout, data));
    },
  ],
  "issuer chain": [
    5,
    (random, base) => {
      const name = random.pick(CHAINS);
      const text = base.subject.collateral[name];
      if (random.once(2)) return withField(base, name, changedChain(random, base.chain.slice(1)));
      return withField(base, name, random.once(4) ? changedText(random, text) : mutatePem(random, text));
    },
  ],
  CRL: [
    8,
    (random, base) => {
      const name = random.pick(CRLS);
      const text = base.subject.collateral[name];
      if (random.once(6)) return withField(base, name, changedText(random, text));
      const der = crlDer(text);
      return withField(base, name, toHex(random.once(3) ? mutateBytes(random, der) : changedDer(random, der)));
    },
  ],
  JSON: [
    10,
    (random, base) => {
      const name = random.pick(DOCUMENTS);
      const text = base.subject.collateral[name];
      return withField(base, name, random.once(4) ? changedText(random, text) : changedJson(random, text));
    },
  ],
  signature: [
    2,
    (random, base) => {
      if (random.once(2)) {
        const name = random.pick(SIGNATURES);
        return withField(base, name, changedText(random, base.subject.collateral[name]));
      }
      const quote = base.subject.quote.slice();
      const at = random.pick([base.layout.lengthAt + 4, base.layout.qeReportAt + 384]) + 32 * random.below(2);
      quote.set(random.once(2) ? random.bytes(32) : new Uint8Array(32).fill(random.pick([0, 0xff])), at);
      return withQuote(base, quote);
    },
  ],
  "field of another": [
    2,
    (random, base, others) => {
      const name = random.pick([...CHAINS, ...CRLS, ...DOCUMENTS, ...SIGNATURES]);
      return withField(base, name, random.pick(others).subject.collateral[name]);
    },
  ],
  "signed quote": [
    6,
    (random, base) => {
      const { headerAndBody, qeReport } = base.unsigned;
      if (random.once(6)) return signedAgain(base, { qeAuthData: random.bytes(random.pick([0, 1, 31, 32, 33, 500])) });
      return random.once(3)
        ? signedAgain(base, { qeReport: mutateQeReport(random, qeReport) })
        : signedAgain(base, { headerAndBody: mutateHeaderAndBody(random, headerAndBody) });
    },
  ],
  "signed certificate": [
    4,
    (random, base) => {
      const { certificates } = base.unsigned;
      const role = random.pick<CertificateRole>(["root", "intermediate", "pck", "pck", "tcbSigning"]);
      return signedAgain(base, {
        certificates: { ...certificates, [role]: changedDer(random, certificates[role]) },
      });
    },
  ],
  "signed CRL": [
    3,
    (random, base) => {
      const { rootCaCrl, pckCrl } = base.unsigned;
      return random.once(2)
        ? signedAgain(base, { rootCaCrl: changedDer(random, rootCaCrl) })
        : signedAgain(base, { pckCrl: changedDer(random, pckCrl) });
    },
  ],
  "signed JSON": [
    7,
    (random, base) => {
      const { tcbInfo, qeIdentity } = base.unsigned;
      return random.once(3)
        ? signedAgain(base, { qeIdentity: changedJson(random, qeIdentity) })
        : signedAgain(base, { tcbInfo: changedJson(random, tcbInfo) });
    },
  ],
} as const satisfies Readonly<Record<string, readonly [weight: number, make: Make]>>;

export type MutationKind = keyof typeof MUTATIONS;

export const MUTATION_KINDS = Object.keys(MUTATIONS) as readonly MutationKind[];

/** Kinds whose signatures are made anew, by keys of our own. */
export function isSignedAgain(kind: MutationKind): boolean {
  return kind.startsWith("signed ");
}

export type Weights = Readonly<Record<MutationKind, number>>;

/** Mostly cheap inputs that end early, as attackers' first tries do; a fifth goes all the way. */
export const USUAL_WEIGHTS = Object.fromEntries(
  Object.entries(MUTATIONS).map(([kind, [weight]]) => [kind, weight]),
) as Weights;

function pickKind(random: Random, weights: Weights): MutationKind {
  let left = random.below(Object.values(weights).reduce((sum, weight) => sum + weight, 0));
  for (const kind of MUTATION_KINDS) {
    left -= weights[kind];
    if (left < 0) return kind;
  }
  return "quote bytes";
}

/** Changes one of the bases in one way. */
export function mutateSubject(random: Random, bases: readonly Base[], weights: Weights = USUAL_WEIGHTS): Mutated {
  const kind = pickKind(random, weights);
  const base = random.pick(bases);
  const [, make]: readonly [number, Make] = MUTATIONS[kind];
  return { kind, base, subject: make(random, base, bases) };
}
