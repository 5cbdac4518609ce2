import { type Collateral, decodePckExtension, decodeQuote, SgxFormatError } from "@confcom/sgx";
import type { QveCollateral } from "../collateral/collateral.ts";
import { VerifyError } from "../errors.ts";
import { type Base, type Mutated, mutateSubject } from "../testing/mutated-subject.ts";
import { mutateBytes } from "../testing/mutations/bytes.ts";
import { derNodes, mutateDer } from "../testing/mutations/der.ts";
import { mutatePem } from "../testing/mutations/pem.ts";
import { mutateQuoteLayout } from "../testing/mutations/quote.ts";
import { pemText } from "../testing/pem-text.ts";
import { Random } from "../testing/random.ts";
import type { Subject } from "../testing/subject.ts";
import { trustedRootFromCertificate } from "../trusted-root.ts";
import { parseAnyCertificate, sgxExtensionOf } from "../x509/certificate.ts";
import { LARGE_INPUTS, type LargeInput } from "./large-inputs.ts";

/** One input: a whole verification, or a call of one function that reads what others made. */
export type FuzzInput =
  | { readonly kind: string; readonly mutated: Mutated }
  | { readonly kind: "large"; readonly large: LargeInput; readonly subject: Subject }
  | { readonly kind: string; readonly subject: Subject; readonly collateral: unknown }
  | { readonly kind: string; readonly bytes: Uint8Array; readonly call: Call };

/** A function that reads bytes, and the one class of error it may throw for them. */
export interface Call {
  readonly name: string;
  readonly error: typeof VerifyError | typeof SgxFormatError;
  run(bytes: Uint8Array): unknown;
}

const CALLS = {
  certificate: { name: "trustedRootFromCertificate", error: VerifyError, run: trustedRootFromCertificate },
  "certificate text": {
    name: "trustedRootFromCertificate",
    error: VerifyError,
    run: (bytes: Uint8Array) => trustedRootFromCertificate(new TextDecoder("latin1").decode(bytes)),
  },
  "PCK extension": { name: "decodePckExtension", error: SgxFormatError, run: decodePckExtension },
  "quote alone": { name: "decodeQuote", error: SgxFormatError, run: decodeQuote },
} as const satisfies Readonly<Record<string, Call>>;

function callInput(kind: keyof typeof CALLS, random: Random, base: Base): FuzzInput {
  const der = random.pick(base.chain);
  const change = (bytes: Uint8Array) =>
    random.once(2) ? mutateBytes(random, bytes) : mutateDer(random, derNodes(bytes));
  let bytes: Uint8Array;
  switch (kind) {
    case "certificate":
      bytes = change(der);
      break;
    case "certificate text":
      bytes = new TextEncoder().encode(mutatePem(random, pemText(der)));
      break;
    case "PCK extension":
      bytes = change(sgxExtensionOf(parseAnyCertificate(base.chain[0] as Uint8Array)) ?? der);
      break;
    case "quote alone":
      bytes = random.once(2)
        ? mutateBytes(random, base.subject.quote)
        : mutateQuoteLayout(random, base.subject.quote, base.layout);
  }
  return { kind, bytes, call: CALLS[kind] };
}

const ODD_VALUES: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  4,
  0x10003,
  Number.NaN,
  true,
  "",
  "text",
  [],
  {},
  "\0",
  new Uint8Array(0),
  new Uint8Array(2000),
];

function sevenFields(collateral: Collateral): QveCollateral {
  const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature, ...chains } = collateral;
  return {
    ...chains,
    tcb_info: `{"tcbInfo":${tcb_info},"signature":"${tcb_info_signature}"}`,
    qe_identity: `{"enclaveIdentity":${qe_identity},"signature":"${qe_identity_signature}"}`,
  };
}

/** Collateral of another shape than a type allows: fields missing, of other types, in Intel's seven fields. */
function oddCollateral(random: Random, { subject }: Base): FuzzInput {
  const { collateral } = subject;
  if (random.once(10)) return { kind: "odd collateral", subject, collateral: random.pick(ODD_VALUES) };
  const fields: Record<string, unknown> = random.once(2) ? { ...collateral } : { ...sevenFields(collateral) };
  const name = random.pick([...Object.keys(fields), "version", "pck_crl"]);
  switch (random.below(4)) {
    case 0:
      delete fields[name];
      break;
    case 1: {
      const field = random.pick(["root_ca_crl", "pck_crl"]);
      fields[field] = mutateBytes(random, Uint8Array.from(Buffer.from(String(fields[field]), "hex")));
      break;
    }
    case 2:
      fields[name] = typeof fields[name] === "string" ? `${fields[name]}${random.pick(["\0", " ", "\n", "x"])}` : 3;
      break;
    default:
      fields[name] = random.pick(ODD_VALUES);
  }
  return { kind: "odd collateral", subject, collateral: fields };
}

/** Large inputs take a thousand times as long as others, so they are this rare. */
const LARGE_EVERY = 20_000;

/** The input with this number: the same for the same seed and bases. */
export function fuzzInput(seed: number, index: number, bases: readonly Base[]): FuzzInput {
  const random = new Random(seed, index);
  // Not before a round number, where memory is looked at: it would still be remembered.
  if (index % LARGE_EVERY === LARGE_EVERY / 2) {
    const large = LARGE_INPUTS[Math.floor(index / LARGE_EVERY) % LARGE_INPUTS.length] as LargeInput;
    return { kind: "large", large, subject: large.make(random.pick(bases)) };
  }
  const choice = random.below(100);
  const call = Object.keys(CALLS)[Math.floor(choice / 3)];
  if (call !== undefined) return callInput(call as keyof typeof CALLS, random, random.pick(bases));
  if (choice === 99) return oddCollateral(random, random.pick(bases));
  const mutated = mutateSubject(random, bases);
  return { kind: mutated.kind, mutated };
}
