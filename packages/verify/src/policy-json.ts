import { fromHex } from "@confcom/sgx";
import { VerifyError } from "./errors.ts";
import { JsonParser, JsonSyntaxError } from "./json/parse.ts";
import { JsonObject, type JsonValue } from "./json/value.ts";
import { ALLOWABLE_PLATFORMS, ALLOWABLE_RESULTS, checkPolicy, HASH_ALGORITHMS, type Policy } from "./policy.ts";

type Reader = (value: JsonValue, path: string) => unknown;

function bad(path: string, wanted: string): never {
  throw new VerifyError("POLICY", `${path} is not ${wanted}`);
}

function bytes(size: number, exact = true): Reader {
  const wanted = `${exact ? "" : "at most "}${size} bytes of hexadecimal`;
  return (value, path) => {
    if (typeof value !== "string" || !/^(?:[0-9a-f]{2})*$/i.test(value)) return bad(path, wanted);
    const found = value.length / 2;
    if (exact ? found !== size : found > size) return bad(path, wanted);
    return fromHex(value);
  };
}

function integer(maximum: number): Reader {
  return (value, path) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maximum
      ? value
      : bad(path, `a whole number from 0 to ${maximum}`);
}

const boolean: Reader = (value, path) => (typeof value === "boolean" ? value : bad(path, "true or false"));

const text: Reader = (value, path) => (typeof value === "string" ? value : bad(path, "text"));

function oneOf(values: readonly string[]): Reader {
  return (value, path) =>
    typeof value === "string" && values.includes(value) ? value : bad(path, `one of ${values.join(", ")}`);
}

function list(read: Reader): Reader {
  return (value, path) =>
    Array.isArray(value) ? value.map((item: JsonValue, i) => read(item, `${path}[${i}]`)) : bad(path, "a list");
}

function orNull(read: Reader): Reader {
  return (value, path) => (value === null ? undefined : read(value, path));
}

/** An object that may have these fields and no other, none of them twice. */
function object(fields: Readonly<Record<string, Reader>>, required: readonly string[] = []): Reader {
  return (value, path) => {
    if (!(value instanceof JsonObject)) return bad(path, "an object");
    const found: Record<string, unknown> = {};
    for (const [name, member] of value.members()) {
      const place = path === "the policy" ? name : `${path}.${name}`;
      if (!Object.hasOwn(fields, name))
        bad(place, `a field of a policy; known here: ${Object.keys(fields).join(", ")}`);
      if (Object.hasOwn(found, name)) bad(place, "there only once");
      found[name] = (fields[name] as Reader)(member, place);
    }
    for (const name of required) if (!Object.hasOwn(found, name)) bad(`${path}.${name}`, "given");
    return found;
  };
}

const masked = object({ mask: bytes(8), value: bytes(8) }, ["mask", "value"]);

const POLICY = object({
  allowedResults: list(oneOf(ALLOWABLE_RESULTS)),
  allowedPlatforms: list(oneOf(ALLOWABLE_PLATFORMS)),
  allowExpiredCollateral: boolean,
  allowDebug: boolean,
  maximumCollateralAge: integer(Number.MAX_SAFE_INTEGER),
  minimumTcbEvaluationDataNumber: integer(0xffffffff),
  toleratedAdvisories: list(text),
  minimumQeIsvSvn: integer(0xffff),
  minimumPceSvn: integer(0xffff),
  reportData: bytes(64, false),
  reportDataHashOf: object({ algorithm: oneOf(HASH_ALGORITHMS), bytes: bytes(1 << 20, false) }, ["algorithm", "bytes"]),
  sgx: object({
    mrEnclave: list(bytes(32)),
    mrSigner: list(bytes(32)),
    isvProdId: integer(0xffff),
    minimumIsvSvn: integer(0xffff),
  }),
  td: object({
    mrTd: list(bytes(48)),
    rtmr: list(orNull(bytes(48))),
    mrSeam: list(bytes(48)),
    mrConfigId: bytes(48),
    mrOwner: bytes(48),
    mrOwnerConfig: bytes(48),
    mrServiceTd: bytes(48),
    tdAttributes: masked,
    xfam: masked,
    minimumTeeTcbSvn: bytes(16),
  }),
});

/**
 * Reads a policy from JSON: the fields of {@link Policy} under their names, byte strings in hexadecimal, null for an RTMR
 * that does not matter. Unknown fields, fields given twice and values of another type are refused, so that a misspelt
 * rule never means "no rule". Throws VerifyError `POLICY` with the field's place.
 */
export function parsePolicy(json: string): Policy {
  let value: JsonValue;
  try {
    value = new JsonParser(new TextEncoder().encode(json)).parse();
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new VerifyError("POLICY", `the policy is not JSON: ${error.message}`, { cause: error });
    throw error;
  }
  const policy = POLICY(value, "the policy") as Policy;
  checkPolicy(policy);
  return policy;
}
