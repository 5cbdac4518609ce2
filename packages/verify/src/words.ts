const MAX_CHARACTERS = 1000;

/**
 * Words that may quote an input, fit for a terminal or a log: one line of bounded length, with control, format and
 * unpaired surrogate characters spelled out.
 */
export function printable(words: string): string {
  const spelled = words.slice(0, MAX_CHARACTERS).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
  if (words.length <= MAX_CHARACTERS && spelled.length <= MAX_CHARACTERS) return spelled;
  return `${spelled.slice(0, MAX_CHARACTERS)}… (${words.length} characters)`;
}
