/**
 * JSON with `//` and block comments between its tokens, as RapidJSON reads it when asked to. Comments become blanks, so that
 * positions in a syntax error are those of the text. Throws SyntaxError. Of a key that is given twice the last one counts here, where the
 * reference takes the first: nobody means either.
 */
export function parseCommentedJson(text: string): unknown {
  return JSON.parse(withoutComments(text));
}

/** A string, or a comment, or what is left of a comment that does not end. */
const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\/\*/g;

function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found, at: number) => {
    if (found.startsWith('"')) return found;
    if (found === "/*") throw new SyntaxError(`the comment at position ${at} does not end`);
    return found.replace(/[^\n]/g, " ");
  });
}
