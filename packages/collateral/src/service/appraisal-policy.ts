import type { StoredPolicy } from "../store/store.ts";
import { ServiceRefusal } from "./status.ts";

/** Class id of a policy's environment → the type the reference cache files it under (spec: DCAP §12). */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["3123ec35-8d38-4ea5-87a5-d6c48b567570", 0],
  ["9eec018b-7481-4b1c-8e1a-9f7c0c8c777f", 1],
  ["f708b97f-0fb2-4e6b-8b03-8a5bcd1221d3", 2],
]);
/** The TD quoting enclave's own class stands beside one of the above. */
const TD_QE_CLASS = "3769258c-75e6-4bc7-8d72-d2b0e224cad2";

const MAX_POLICY = 1024 * 1024;

const malformed = (what: string) => new ServiceRefusal(400, `appraisal policy: ${what}`);

/**
 * Reads what PUT /appraisalpolicy brings: a JWT whose payload holds the policy array as a text. Its signature is the
 * relying party's to check. `sha384` of the JWT's text, lower-case hexadecimal, is the policy's id. Throws ServiceRefusal 400.
 */
export function readAppraisalPolicy(
  input: { readonly isDefault: boolean; readonly fmspc: string; readonly policy: string },
  sha384: (text: string) => string,
): StoredPolicy {
  const { isDefault, fmspc, policy } = input;
  if (policy.length > MAX_POLICY) throw malformed(`longer than ${MAX_POLICY} characters`);
  if (!/^[0-9a-f]{12}$/i.test(fmspc)) throw malformed("FMSPC is not 12 hexadecimal digits");
  return { id: sha384(policy), type: policyType(policy), policy, isDefault, fmspc: fmspc.toUpperCase() };
}

function policyType(jwt: string): number {
  const payload = member(parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()), "policy_payload");
  const policies = typeof payload === "string" ? member(parse(payload), "policy_array") : undefined;
  if (!Array.isArray(policies)) throw malformed("no policy array");
  for (const policy of policies as unknown[]) {
    const classId = member(member(policy, "environment"), "class_id");
    if (typeof classId !== "string") throw malformed("no class id");
    const type = TYPES.get(classId.toLowerCase());
    if (type !== undefined) return type;
    if (classId.toLowerCase() !== TD_QE_CLASS) throw malformed("unknown class id");
  }
  throw malformed("no class id of SGX or TDX");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("not JSON");
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
