const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [COMMA, BRACKET, BRACE] = [0x2c, 0x5b, 0x7b];

/**
 * Whether JSON text may hold more than `limit` values, told without making any: a value of two bytes becomes hundreds of
 * bytes of memory. Counts never fewer than there are; what is no JSON is counted somehow.
 */
export function moreValuesThan(limit: number, json: Uint8Array): boolean {
  // Each value is the first of its list or map, follows a comma, or is the text itself.
  if (json.length <= limit) return false;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++;
    } else if (byte === COMMA || byte === BRACKET || byte === BRACE) {
      if (++values > limit) return true;
    }
  }
  return false;
}
