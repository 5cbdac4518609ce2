/** Deeper nesting than this is no configuration. */
const DEPTH_LIMIT = 64;

/**
 * JSON with `//` and block comments between its tokens, as RapidJSON reads it when asked to: of a key that is given twice in one
 * object the first one counts, and `repeated` hears of the others. Comments become blanks, so that positions in a syntax error are
 * those of the text. Throws SyntaxError, also for more than 64 levels.
 */
export function parseCommentedJson(text: string, repeated: (key: string) => void = () => {}): unknown {
  const plain = withoutComments(text);
  // Says what is wrong and where. What passes is sound, so the walk below need not look for mistakes.
  JSON.parse(plain);
  const tokens = plain.match(TOKEN) ?? [];
  let at = 0;
  const value = (depth: number): unknown => {
    if (depth > DEPTH_LIMIT) throw new SyntaxError(`it has more than ${DEPTH_LIMIT} levels`);
    const token = tokens[at++] as string;
    if (token === "{") return object(depth);
    if (token === "[") return array(depth);
    return JSON.parse(token);
  };
  const object = (depth: number) => {
    const members = new Map<string, unknown>();
    while (tokens[at] !== "}") {
      if (tokens[at] === ",") at++;
      const key = JSON.parse(tokens[at] as string) as string;
      at += 2;
      const member = value(depth + 1);
      if (members.has(key)) repeated(key);
      else members.set(key, member);
    }
    at++;
    return Object.fromEntries(members);
  };
  const array = (depth: number) => {
    const items: unknown[] = [];
    while (tokens[at] !== "]") {
      if (tokens[at] === ",") at++;
      items.push(value(depth + 1));
    }
    at++;
    return items;
  };
  return value(0);
}

/** Of sound JSON: a string, a mark, or a number or word. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** A string, or a comment, or what is left of a comment that does not end. */
const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|\/\*/g;

function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found, at: number) => {
    if (found.startsWith('"')) return found;
    if (found === "/*") throw new SyntaxError(`the comment at position ${at} does not end`);
    return found.replace(/[^\n]/g, " ");
  });
}
