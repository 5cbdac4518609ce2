/** Text from outside, safe to print: control characters but `kept` ones, which could drive the terminal, become escapes. */
export function printable(text: string, kept = ""): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    const control =
      code < 0x20 ||
      (code >= 0x7f && code < 0xa0) ||
      (code >= 0x2028 && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069);
    out += control && !kept.includes(char) ? `\\u{${code.toString(16)}}` : char;
  }
  return out;
}
