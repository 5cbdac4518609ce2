import { type Check, expect, expectEqual } from "../check.ts";
import { type Verdict, type VerifierQuestion, verifyWithCrate, verifyWithNpm } from "../foreign-peers.ts";
import { verifyWithOwn } from "../own-verifier.ts";
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

/** Throws unless every foreign verifier accepts with this status, and packages/verify says the very same. */
export async function allAccept(question: VerifierQuestion, status: string, scene: Scene): Promise<void> {
  const own = verifyWithOwn(question);
  for (const { name, verify } of FOREIGN_VERIFIERS) {
    const verdict = await verify(question, scene);
    expect(verdict.accepted, `${name} refuses: ${verdict.error}`);
    expectEqual(verdict.status, status, `${name}: TCB status`);
    expect(own.accepted, `packages/verify refuses what ${name} accepts: ${own.error}`);
    expectEqual(own.status, verdict.status, `TCB status by packages/verify and by ${name}`);
    expectEqual(own.advisoryIds?.join(), verdict.advisoryIds?.join(), `advisories by packages/verify and by ${name}`);
  }
}

/** Throws if a foreign verifier accepts, or packages/verify does. */
export async function allRefuse(question: VerifierQuestion, what: string, scene: Scene): Promise<void> {
  for (const { name, verify } of FOREIGN_VERIFIERS) {
    const verdict = await verify(question, scene);
    expect(!verdict.accepted, `${name} accepts ${what}`);
  }
  expect(!verifyWithOwn(question).accepted, `packages/verify accepts ${what}`);
}

export const quoteVerifiers: readonly Check<Scene>[] = [
  {
    name: "our quote, root and collateral: npm and crate dcap-qvl accept, packages/verify says the same",
    deadline: 180_000,
    async run(scene) {
      const question = await goodQuestion(scene);
      await allAccept(question, "UpToDate", scene);
      return `UpToDate, ${question.quote.length} bytes; npm, crate with ring, crate with rustcrypto, packages/verify`;
    },
  },
  {
    name: "one bit flipped anywhere that is signed: every verifier refuses",
    deadline: 240_000,
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
      return `${places.length} places x ${FOREIGN_VERIFIERS.length + 1} verifiers`;
    },
  },
  {
    name: "without our root: every verifier refuses",
    deadline: 180_000,
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
];

async function goodQuestion(scene: Scene): Promise<VerifierQuestion> {
  const { quote, collateral, rootPem } = await scene.subject();
  expectEqual(readQuote(quote).length, quote.length, "quote size by its own length field");
  return { quote, collateral, rootPem, now: scene.now() };
}
