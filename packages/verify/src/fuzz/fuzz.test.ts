import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "@confcom/sgx";
import { nodeCrypto } from "../node-crypto.ts";
import { createBase, MUTATION_KINDS, mutateSubject } from "../testing/mutated-subject.ts";
import { Random } from "../testing/random.ts";
import { labelledSubjects, realSubjects } from "../testing/subject.ts";
import { verifyQuote } from "../verifier.ts";
import { exceeded, workLimit } from "./counted-crypto.ts";
import { fuzz } from "./fuzzer.ts";
import { LARGE_INPUTS } from "./large-inputs.ts";
import { memoryProblem } from "./memory.ts";
import { resultProblem } from "./result-facts.ts";

const bases = [...realSubjects(), ...labelledSubjects()].map(createBase);
const options = { seed: 7, bases, crypto: nodeCrypto, clock: () => 0 };

describe("3,000 changed quotes, certificates, CRLs and documents", () => {
  const report = fuzz({ ...options, inputs: 3000 });

  it("make no error but the package's own, no malformed result, no work over the limits", () => {
    assert.deepEqual(report.failures, []);
    assert.equal(report.inputs, 3000);
  });

  it("are of every kind, some of each accepted and some refused", () => {
    for (const kind of MUTATION_KINDS) assert.ok((report.kinds[kind]?.inputs ?? 0) > 0, kind);
    for (const kind of MUTATION_KINDS.filter((name) => name.startsWith("signed "))) {
      const { accepted = 0, refused = 0 } = report.kinds[kind] ?? {};
      assert.ok(accepted > 0 && refused > 0, `${kind}: ${accepted} accepted, ${refused} refused`);
    }
  });

  it("are the same again for the same seed, and each can be made alone", () => {
    const again = fuzz({ ...options, inputs: 3000 });
    assert.deepEqual(again, report);
    const alone = (index: number) => mutateSubject(new Random(7, index), bases).subject;
    assert.equal(toHex(alone(41).quote), toHex(alone(41).quote));
    assert.deepEqual(alone(1234).collateral, alone(1234).collateral);
  });
});

describe("inputs as large as the budgets allow, and a little larger", () => {
  const [base] = bases;
  for (const large of LARGE_INPUTS) {
    it(`${large.name}: ${large.accepted ? "accepted" : "refused"}`, () => {
      assert.ok(base);
      const { quote, collateral, now, trustedRoot } = large.make(base);
      const result = verifyQuote(quote, collateral, { now, trustedRoots: [trustedRoot], crypto: nodeCrypto });
      assert.equal(result.ret === 0, large.accepted, result.reason);
      assert.equal(resultProblem(result, trustedRoot), undefined);
    });
  }
});

describe("the judges of a run", () => {
  const [subject] = realSubjects();
  assert.ok(subject);
  const { quote, collateral, now, trustedRoot } = subject;
  const good = verifyQuote(quote, collateral, { now, trustedRoots: [trustedRoot], crypto: nodeCrypto });

  it("find nothing wrong with a good result, and each of these wrong", () => {
    assert.equal(resultProblem(good, trustedRoot), undefined);
    const wrong = [
      { ret: 0xe001 },
      { result: "UNSPECIFIED" },
      { supplemental: undefined },
      { rootKey: new Uint8Array(65) },
      { reason: "two\nlines" },
      { warnings: ["x".repeat(5000)] },
      { steps: [] },
    ];
    for (const change of wrong)
      assert.ok(resultProblem({ ...good, ...change } as typeof good, trustedRoot), JSON.stringify(change));
  });

  it("hold work against its limit, one by one", () => {
    const limit = workLimit(1000);
    assert.equal(exceeded(limit, limit), undefined);
    for (const name of ["signatureChecks", "keyImports", "hashes", "bytes"] as const) {
      assert.ok(exceeded({ ...limit, [name]: limit[name] + 1 }, limit)?.startsWith(name));
    }
  });

  it("call memory flat that grows in the first tenth only", () => {
    const sample = (done: number, heap: number) => ({ done, heap, resident: heap });
    assert.equal(memoryProblem([sample(5, 1 << 20), sample(10, 99 << 20), sample(100, 100 << 20)], 100), undefined);
    assert.match(memoryProblem([sample(10, 1 << 20), sample(100, 99 << 20)], 100) ?? "", /^heap memory grew/);
  });

  it("stop a run in which everything is wrong", () => {
    const broken = { ...nodeCrypto, sha256: () => assert.fail("no hash today") };
    const report = fuzz({ ...options, inputs: 3000, crypto: broken });
    assert.equal(report.failures.length, 20);
    assert.ok(report.inputs < 3000);
  });
});
