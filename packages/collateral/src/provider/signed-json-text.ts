import { CollateralError } from "../errors.ts";

/** A document {"<name>":{...},"signature":"..."} in the two texts of a Collateral. */
export interface SignedJsonText {
  /** The inner object exactly as it stands in the document. */
  readonly body: string;
  /** 128 hexadecimal digits. */
  readonly signature: string;
}

/** A string, or a bracket, or a comma between members: all that says where a value ends. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/** Takes a document apart without changing a byte of its inner object. Throws CollateralError SOURCE_ANSWER. */
export function splitSignedJson(text: string, name: "tcbInfo" | "enclaveIdentity"): SignedJsonText {
  const found = new Map<string, string>();
  let depth = 0;
  let member: { readonly key: string; readonly start: number } | undefined;
  const refuse = () => new CollateralError("SOURCE_ANSWER", `a document is no signed ${name}`);
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && member === undefined && token.startsWith('"')) {
      const start = text.indexOf(":", index + token.length) + 1;
      member = { key: token.slice(1, -1), start };
    } else if (token === "{" || token === "[") depth++;
    else if (token === "," ? depth === 1 : token === "}" || token === "]") {
      if (token !== ",") depth--;
      const ends = token === "," || depth === 0;
      if (ends && member !== undefined) {
        if (!found.has(member.key)) found.set(member.key, text.slice(member.start, index).trim());
        member = undefined;
      }
    }
  }
  const body = found.get(name);
  const signature = /^"([0-9a-fA-F]{128})"$/.exec(found.get("signature") ?? "")?.[1];
  if (body === undefined || !body.startsWith("{") || signature === undefined) throw refuse();
  return { body, signature };
}
