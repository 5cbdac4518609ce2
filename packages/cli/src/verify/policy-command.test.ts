import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { confcom, SGX, scratch, TDX, TDX_OUT_OF_DATE } from "./testing/confcom.ts";

const path = scratch();

describe("confcom verify --policy", () => {
  const policyFile = (name: string, policy: unknown) => {
    writeFileSync(path(name), typeof policy === "string" ? policy : JSON.stringify(policy));
    return ["--policy", path(name)];
  };

  it("reports every rule that is not met, and the flags it names have the quote accepted", () => {
    for (const [quote, policy, count] of [
      [
        SGX,
        {
          allowedPlatforms: ["other"],
          maximumCollateralAge: 1,
          minimumTcbEvaluationDataNumber: 1000,
          minimumQeIsvSvn: 1000,
          minimumPceSvn: 1000,
          toleratedAdvisories: [],
          reportData: "01",
          sgx: { mrEnclave: ["00".repeat(32)], mrSigner: [], isvProdId: 77, minimumIsvSvn: 60000 },
        },
        12,
      ],
      [TDX_OUT_OF_DATE, { td: { mrTd: ["00".repeat(48)], rtmr: ["11".repeat(48), null, "22".repeat(48)] } }, 4],
    ] as const) {
      const args = [...quote, ...policyFile("policy.json", policy)];
      const { status, lines } = confcom(...args);
      assert.equal(status, 1);
      assert.match(lines[0] as string, /^VERIFIED, POLICY NOT MET /);
      const failures = lines.filter((line) => line.startsWith("policy not met: "));
      assert.equal(failures.length, count);
      for (const line of failures) assert.match(line, /\(--[a-z-]+ .*would accept it\)$/);
      const json = JSON.parse(confcom(...args, "--json").out) as { policy: { failures: { flag: string }[] } };
      const flags = json.policy.failures.flatMap(({ flag }) => flag.split(" "));
      const accepted = confcom(...args, ...flags);
      assert.equal(accepted.status, 0, accepted.out);
    }
  });

  it("says of rules without a flag that only the file could accept the quote", () => {
    const { status, out } = confcom(...TDX, ...policyFile("owner.json", { td: { mrOwner: "01".repeat(48) } }));
    assert.equal(status, 1);
    assert.match(out, /td\.mrOwner: .*\(only td\.mrOwner of the policy file could accept it\)/);
    const sgx = confcom(...TDX, ...policyFile("sgx.json", { sgx: {} }));
    assert.match(sgx.out, /policy not met: sgx: wanted an SGX quote, found a TDX quote/);
  });

  it("is met by what it allows", () => {
    assert.equal(
      confcom(...SGX, ...policyFile("allow.json", { allowedResults: ["CONFIG_AND_SW_HARDENING_NEEDED"] })).status,
      0,
    );
    // It may also be stricter than no policy at all.
    assert.equal(confcom(...TDX, ...policyFile("none.json", { allowedResults: [] })).status, 1);
  });

  it("is refused with its mistake named: 65, never taken for no rule", () => {
    for (const [policy, message] of [
      [{ allowDebgu: true }, /allowDebgu is not a field/],
      ["{", /not JSON/],
      [{ sgx: { mrEnclave: ["00"] } }, /sgx\.mrEnclave\[0\] is not 32 bytes/],
    ] as const) {
      const { status, err } = confcom(...TDX, ...policyFile("bad.json", policy));
      assert.equal(status, 65);
      assert.match(err, message);
    }
    assert.equal(confcom(...TDX, "--policy", path("absent.json")).status, 65);
  });
});
