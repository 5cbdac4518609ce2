import { createVerificationCache, createVerifier, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { QuoteVerifier } from "@phala/dcap-qvl";
import type { VerificationInput } from "./inputs.ts";
import { parseEverything } from "./parse-everything.ts";

/** `cold`: nothing remembered. `warm`: chains, CRLs and JSON seen before. `parse`: the quote taken apart, nothing verified. */
export type Workload = "cold" | "warm" | "parse";

export type ContenderName = "confcom" | "npm";

/** Does the work once; throws if the answer is not the right one. */
export type Work = () => void;

function accepted(input: VerificationInput, ret: number): void {
  if (ret !== 0) throw new Error(`${input.name} was refused with ${ret}`);
}

function ownWork(workload: Workload, input: VerificationInput): Work {
  const { quote, collateral, terms } = input;
  const options = { ...terms, crypto: nodeCrypto };
  switch (workload) {
    case "cold":
      return () => accepted(input, verifyQuote(quote, collateral, options).ret);
    case "warm": {
      const verifier = createVerifier({ crypto: nodeCrypto, cache: createVerificationCache() });
      return () => accepted(input, verifier.verify(quote, collateral, terms).ret);
    }
    case "parse": {
      const expected = parseEverything(quote);
      return () => {
        if (parseEverything(quote) !== expected) throw new Error(`${input.name} was parsed in two ways`);
      };
    }
  }
}

/** The npm package @phala/dcap-qvl: it remembers nothing, so its one figure stands beside both of ours. */
function npmWork(workload: Workload, { quote, collateral, terms }: VerificationInput): Work {
  if (workload === "parse") throw new Error("only verification is compared");
  const verifier = QuoteVerifier.newProd();
  const seconds = terms.now.getTime() / 1000;
  // It throws what it does not accept.
  return () => void verifier.verify(quote, collateral, seconds);
}

export function work(contender: ContenderName, workload: Workload, input: VerificationInput): Work {
  return contender === "confcom" ? ownWork(workload, input) : npmWork(workload, input);
}
