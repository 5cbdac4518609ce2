import { fromHex } from "@confcom/sgx";

const HEX = /^(?:0x)?[0-9a-f\s]+$/i;
const BASE64 = /^[A-Za-z0-9+/_\-\s]+={0,2}\s*$/;

/** How the bytes of an input were written. */
export type InputEncoding = "binary" | "hex" | "base64";

export interface DecodedInput {
  readonly bytes: Uint8Array;
  readonly encoding: InputEncoding;
}

/** Recognises hexadecimal and base64 text (either alphabet, white space allowed); anything else is taken as it is. */
export function decodeBinaryText(input: Uint8Array): DecodedInput {
  if (input.length === 0) return { bytes: input, encoding: "binary" };
  for (const byte of input)
    if (byte > 0x7e || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13))
      return { bytes: input, encoding: "binary" };
  const text = new TextDecoder("latin1").decode(input);
  const compact = text.replace(/\s+/g, "");
  if (HEX.test(text) && compact.replace(/^0x/i, "").length % 2 === 0) {
    return { bytes: fromHex(compact.replace(/^0x/i, "")), encoding: "hex" };
  }
  if (BASE64.test(text)) return { bytes: new Uint8Array(Buffer.from(compact, "base64")), encoding: "base64" };
  return { bytes: input, encoding: "binary" };
}
