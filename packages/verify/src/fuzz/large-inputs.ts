import { concatBytes } from "@confcom/sgx";
import { DER_TAG, derElement, derInteger, derSequence } from "@confcom/sgx/der";
import { BUDGETS } from "../budgets.ts";
import { sign } from "../testing/forge.ts";
import type { Base } from "../testing/mutated-subject.ts";
import { derNodes, replaceNode } from "../testing/mutations/der.ts";
import { withCertificationData } from "../testing/mutations/quote.ts";
import { pemText } from "../testing/pem-text.ts";
import type { Subject } from "../testing/subject.ts";

/** An input as large as a budget allows, or a little larger. */
export interface LargeInput {
  readonly name: string;
  readonly accepted: boolean;
  make(base: Base): Subject;
}

/** A document with one more member, signed again. */
function withMember(base: Base, member: string): Subject {
  const { tcbInfo } = base.unsigned;
  return sign({ ...base.unsigned, tcbInfo: `${tcbInfo.slice(0, -1)},"more":${member}}` });
}

function withQuoteSize(base: Base, size: number): Subject {
  const { quote } = base.subject;
  return { ...base.subject, quote: concatBytes(quote, new Uint8Array(size - quote.length)) };
}

function withChain(base: Base, pem: string): Subject {
  const quote = withCertificationData(base.subject.quote, base.layout, new TextEncoder().encode(pem));
  return { ...base.subject, quote };
}

/** A PCK CRL with so many revoked serial numbers more, signed again. */
function withRevoked(base: Base, count: number): Subject {
  const revoked: Uint8Array[] = [];
  const date = derElement(DER_TAG.UTC_TIME, new TextEncoder().encode("200101000000Z"));
  for (let i = 0; i < count; i++) revoked.push(derSequence(derInteger(BigInt(i) + (1n << 64n)), date));
  const list = derElement(DER_TAG.SEQUENCE, new Uint8Array(Buffer.concat(revoked)));
  const nodes = derNodes(base.unsigned.pckCrl);
  const last = nodes.findLast(({ tag, parent }) => tag === DER_TAG.UTC_TIME && parent === nodes[0]);
  const next = nodes.find(
    ({ parent, encoded }) => parent === nodes[0] && encoded.byteOffset > (last?.encoded.byteOffset ?? 0),
  );
  if (next === undefined) throw new Error("a CRL without extensions");
  // The list stands before the extensions, or in the place of the one that is there.
  const replacement = next.tag === DER_TAG.SEQUENCE ? list : concatBytes(list, next.encoded);
  return sign({ ...base.unsigned, pckCrl: replaceNode(next, replacement) });
}

function repeat(text: string, bytes: number): string {
  return text.repeat(Math.floor(bytes / text.length));
}

const ROOM = 100_000;
const FIELD = BUDGETS.fieldBytes - ROOM;

export const LARGE_INPUTS: readonly LargeInput[] = [
  { name: "a quote of 1 MiB", accepted: true, make: (base) => withQuoteSize(base, BUDGETS.quoteBytes) },
  { name: "a quote of 1 MiB and a byte", accepted: false, make: (base) => withQuoteSize(base, BUDGETS.quoteBytes + 1) },
  {
    name: "JSON of 190,000 values",
    accepted: true,
    make: (base) => withMember(base, `[${"0,".repeat(190_000)}0]`),
  },
  { name: "JSON of 200,001 values", accepted: false, make: (base) => withMember(base, `[${"0,".repeat(200_000)}0]`) },
  {
    name: "JSON of 190,000 members of one object",
    accepted: true,
    make: (base) => withMember(base, `{${'"a":0,'.repeat(190_000)}"b":0}`),
  },
  { name: "JSON 30 deep", accepted: true, make: (base) => withMember(base, "[".repeat(30) + "]".repeat(30)) },
  { name: "JSON 33 deep", accepted: false, make: (base) => withMember(base, "[".repeat(33) + "]".repeat(33)) },
  {
    name: "JSON a million deep",
    accepted: false,
    make: (base) => withMember(base, "[".repeat(1_000_000)),
  },
  { name: "8 MiB of blanks in JSON", accepted: false, make: (base) => withMember(base, `${" ".repeat(FIELD)}0`) },
  {
    name: "JSON with a string of 8 MiB",
    accepted: true,
    make: (base) => withMember(base, `"${"x".repeat(FIELD)}"`),
  },
  {
    name: "JSON with 1.4 million escapes",
    accepted: false,
    make: (base) => withMember(base, `"${repeat("\\u0041", FIELD)}"`),
  },
  {
    name: "JSON with 4,000 numbers of 1,999 digits",
    accepted: false,
    make: (base) => withMember(base, `[${repeat(`0.${"1".repeat(1997)},`, FIELD)}0]`),
  },
  {
    name: "JSON with a number of 8 million digits",
    accepted: false,
    make: (base) => withMember(base, "1".repeat(FIELD)),
  },
  {
    name: "a TCB status of 8 MiB",
    accepted: false,
    make: (base) => {
      const { tcbInfo } = base.unsigned;
      return sign({
        ...base.unsigned,
        tcbInfo: tcbInfo.replace(
          /"tcbStatus":"[A-Za-z]+"(?!.*"tcbStatus")/,
          `"tcbStatus":"${"\\n".repeat(FIELD / 2)}"`,
        ),
      });
    },
  },
  { name: "a CRL of 100,000 entries", accepted: true, make: (base) => withRevoked(base, 100_000) },
  { name: "a CRL of 200,000 entries", accepted: false, make: (base) => withRevoked(base, 200_000) },
  {
    name: "a CRL whose issuer has a name of 20,000 parts",
    accepted: false,
    make: (base) => {
      const [list] = derNodes(base.unsigned.pckCrl);
      // Version, algorithm, issuer.
      const issuer = list?.children[2];
      if (issuer === undefined) throw new Error("a CRL without issuer");
      const [part] = issuer.children;
      const many = new Uint8Array(
        Buffer.concat(Array.from({ length: 20_000 }, () => part?.encoded ?? new Uint8Array(0))),
      );
      return sign({ ...base.unsigned, pckCrl: replaceNode(issuer, derElement(DER_TAG.SEQUENCE, many)) });
    },
  },
  {
    name: "a chain of 300 certificates",
    accepted: false,
    make: (base) => withChain(base, pemText(...base.chain).repeat(100)),
  },
  {
    name: "a chain with 900,000 dashes after it",
    accepted: true,
    make: (base) => withChain(base, pemText(...base.chain) + "-".repeat(900_000)),
  },
  {
    name: "a chain of BEGIN lines",
    accepted: false,
    make: (base) => withChain(base, `${repeat("-----BEGIN CERTIFICATE-----\n", 900_000)}-----END CERTIFICATE-----\n`),
  },
  {
    name: "8 MiB of dashes for an issuer chain",
    accepted: false,
    make: ({ subject }) => ({
      ...subject,
      collateral: { ...subject.collateral, tcb_info_issuer_chain: "-".repeat(BUDGETS.fieldBytes) },
    }),
  },
  {
    name: "8 MiB of hexadecimal for a CRL",
    accepted: false,
    make: ({ subject }) => ({
      ...subject,
      collateral: { ...subject.collateral, pck_crl: "30".repeat(BUDGETS.fieldBytes / 2) },
    }),
  },
];
