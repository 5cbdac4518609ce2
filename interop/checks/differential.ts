import { createVerificationCache, createVerifier } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import {
  type Base,
  createBase,
  labelledSubjects,
  type Mutated,
  mutateSubject,
  Random,
  realSubjects,
  sign,
} from "@confcom/verify/testing";
import { type Check, expect } from "../check.ts";
import { CrateBatch } from "../differential/crate-batch.ts";
import { disagreement } from "../differential/disagreement.ts";
import { RULES } from "../differential/rules.ts";
import type { Scene } from "../scene.ts";

const INPUTS = 20_000;
const SEED = 20_260_101;
/** Questions on their way; more would only wait in pipes. */
const WINDOW = 500;

const verifier = createVerifier({ crypto: nodeCrypto, cache: createVerificationCache() });

function verify({ subject: { quote, collateral, now, trustedRoot } }: Pick<Mutated, "subject">) {
  return verifier.verify(quote, collateral, { now, trustedRoots: [trustedRoot] });
}

/** The subjects that both verifiers accept with the same verdict as they are, and once signed again. */
async function commonBases(batch: CrateBatch): Promise<Base[]> {
  const common: Base[] = [];
  for (const base of [...realSubjects(), ...labelledSubjects()].map(createBase)) {
    const answers = await Promise.all(
      [base.subject, sign(base.unsigned)].map(async (subject) => {
        const { answer } = await batch.ask(subject, base);
        return disagreement("signed quote", verify({ subject }), await answer);
      }),
    );
    if (answers.every((found) => found === undefined || found.sort === "advisories")) common.push(base);
  }
  return common;
}

interface Tally {
  readonly accepted: number;
  readonly refused: number;
  readonly explained: ReadonlyMap<string, number>;
  readonly unexplained: readonly string[];
}

async function compare(batch: CrateBatch, bases: readonly Base[]): Promise<Tally> {
  let accepted = 0;
  let refused = 0;
  const explained = new Map<string, number>();
  const unexplained: string[] = [];
  const pending: Promise<void>[] = [];
  for (let i = 0; i < INPUTS; i++) {
    const mutated = mutateSubject(new Random(SEED, i), bases);
    const own = verify(mutated);
    const { answer } = await batch.ask(mutated.subject, mutated.base);
    pending.push(
      answer.then((crate) => {
        const found = disagreement(mutated.kind, own, crate);
        if (found === undefined) {
          if (own.ret === 0) accepted++;
          else refused++;
          return;
        }
        const rule = RULES.find(({ matches }) => matches(found));
        if (rule !== undefined) explained.set(rule.name, (explained.get(rule.name) ?? 0) + 1);
        else {
          const theirs = crate.accepted === true ? crate.status : (crate.error ?? `panic: ${crate.panicked}`);
          unexplained.push(`input ${i}, ${found.kind}, ${found.sort}: ${own.status}, ${own.reason} | ${theirs}`);
        }
      }),
    );
    if (pending.length >= WINDOW) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
  return { accepted, refused, explained, unexplained };
}

export const differential: readonly Check<Scene>[] = [
  {
    name: `differential: ${INPUTS} changed quotes and collaterals, the crate dcap-qvl and packages/verify`,
    deadline: 600_000,
    async run() {
      const batch = await CrateBatch.start();
      try {
        const bases = await commonBases(batch);
        expect(bases.length >= 8, `both accept only ${bases.length} of the subjects as they are`);
        const { accepted, refused, explained, unexplained } = await compare(batch, bases);
        expect(
          unexplained.length === 0,
          `${unexplained.length} disagreements that no rule explains:\n${unexplained.slice(0, 20).join("\n")}`,
        );
        const rules = [...explained].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
        const differing = [...explained.values()].reduce((sum, count) => sum + count, 0);
        return `${accepted} accepted and ${refused} refused by both, ${differing} differ by rule: ${rules.join(", ")}`;
      } finally {
        batch.close();
      }
    },
  },
];
