import { X509Certificate } from "node:crypto";
import { verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { type Check, expect, expectEqual } from "../check.ts";
import { type Verdict, type VerifierQuestion, verifyWithCrate, verifyWithNpm } from "../foreign-peers.ts";
import { readQuote } from "../quote-parts.ts";
import type { Scene } from "../scene.ts";

/** The verifiers nobody here wrote. */
export const FOREIGN_VERIFIERS: readonly {
  name: string;
  verify: (q: VerifierQuestion, s: Scene) => Promise<Verdict>;
}[] = [
  { name: "npm @phala/dcap-qvl", verify: (question) => verifyWithNpm(question) },
  { name: "crate dcap-qvl (ring)", verify: (question, scene) => verifyWithCrate(question, scene.places, "ring") },
  {
    name: "crate dcap-qvl (rustcrypto)",
    verify: (question, scene) => verifyWithCrate(question, scene.places, "rustcrypto"),
  },
];

/** Asks every foreign verifier, and throws unless all accept with this status. */
export async function allAccept(question: VerifierQuestion, status: string, scene: Scene): Promise<void> {
  for (const { name, verify } of FOREIGN_VERIFIERS) {
    const verdict = await verify(question, scene);
    expect(verdict.accepted, `${name} refuses: ${verdict.error}`);
    expectEqual(verdict.status, status, `${name}: TCB status`);
  }
}

/** Asks every foreign verifier, and throws if one accepts. */
export async function allRefuse(question: VerifierQuestion, what: string, scene: Scene): Promise<void> {
  for (const { name, verify } of FOREIGN_VERIFIERS) {
    const verdict = await verify(question, scene);
    expect(!verdict.accepted, `${name} accepts ${what}`);
  }
}

export const quoteVerifiers: readonly Check<Scene>[] = [
  {
    name: "our quote under our root and collateral: npm and crate dcap-qvl accept it, UpToDate",
    deadline: 60_000,
    async run(scene) {
      const question = await goodQuestion(scene);
      await allAccept(question, "UpToDate", scene);
      return `${question.quote.length} bytes; npm, crate with ring, crate with rustcrypto`;
    },
  },
  {
    name: "one bit flipped anywhere that is signed: every foreign verifier refuses",
    deadline: 120_000,
    async run(scene) {
      const question = await goodQuestion(scene);
      const leafAt = Buffer.from(question.quote).indexOf("-----BEGIN CERTIFICATE-----") + 300;
      const places: readonly [string, number][] = [
        ["header (QE SVN)", 8],
        ["header (user data)", 30],
        ["report body (MRENCLAVE)", 48 + 64],
        ["report body (report data)", 48 + 320],
        ["signature", 436],
        ["attestation key", 500],
        ["QE report", 564 + 64],
        ["QE report signature", 948],
        ["QE authentication data", 1014],
        ["PCK certificate", leafAt],
      ];
      for (const [what, offset] of places) {
        const quote = Buffer.from(question.quote);
        quote.writeUInt8(quote.readUInt8(offset) ^ 1, offset);
        await allRefuse({ ...question, quote }, `a quote with a flipped bit in its ${what}`, scene);
      }
      return `${places.length} places x ${FOREIGN_VERIFIERS.length} verifiers`;
    },
  },
  {
    name: "without our root: every foreign verifier refuses",
    deadline: 60_000,
    async run(scene) {
      const question = await goodQuestion(scene);
      await allRefuse({ ...question, rootPem: undefined }, "our quote under Intel's root", scene);
      const other = await scene.startFresh({});
      const { tcb_info_issuer_chain: chain } = await scene.exportCollateral(other.state);
      await other.stop();
      const otherRoot = chain.slice(chain.lastIndexOf("-----BEGIN CERTIFICATE-----"));
      expect(otherRoot.trim() !== question.rootPem?.trim(), "two state directories share a root");
      await allRefuse({ ...question, rootPem: otherRoot }, "our quote under another installation's root", scene);
      return "refused under Intel's root and under another installation's";
    },
  },
  {
    name: "packages/verify says what the foreign verifiers say",
    deadline: 60_000,
    async run(scene) {
      const { quote, collateral, rootPem, now } = await goodQuestion(scene);
      const judge = (bytes: Uint8Array, root: string) =>
        verifyQuote(bytes, collateral, { now, trustedRoots: [rootPoint(root)], crypto: nodeCrypto });
      const good = judge(quote, rootPem ?? "");
      expect(good.ok, `packages/verify refuses: ${JSON.stringify(good)}`);
      return "OK for the good quote, refused with a flipped bit and without our root";
    },
  },
];

async function goodQuestion(scene: Scene): Promise<VerifierQuestion> {
  const { quote, collateral, rootPem } = await scene.subject();
  expectEqual(readQuote(quote).length, quote.length, "quote size by its own length field");
  return { quote, collateral, rootPem, now: scene.now() };
}

/** The 65-byte uncompressed point of a certificate's P-256 key. */
function rootPoint(pem: string): Uint8Array {
  const spki = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return spki.subarray(spki.length - 65);
}
