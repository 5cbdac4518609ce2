import type { Random } from "../random.ts";

/** One value of a valid JSON text and where it stands. */
export interface JsonNode {
  readonly kind: "object" | "array" | "string" | "number" | "word";
  readonly start: number;
  readonly end: number;
  /** Start of the member or element this value belongs to: of its name, if it has one. */
  readonly from: number;
  readonly name: string | undefined;
  readonly siblings: readonly JsonNode[];
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

/** Every value of a valid JSON text. */
export function jsonNodes(text: string): JsonNode[] {
  const all: JsonNode[] = [];
  let at = 0;
  const blanks = () => {
    while (isBlank(text[at])) at++;
  };
  const string = () => {
    const start = at++;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at++;
    return text.slice(start + 1, at - 1);
  };
  const value = (from: number, name: string | undefined, siblings: JsonNode[]): void => {
    const start = at;
    const slot = all.length;
    let kind: JsonNode["kind"] = "word";
    const inside: JsonNode[] = [];
    if (text[at] === '"') {
      kind = "string";
      string();
    } else if (text[at] === "{" || text[at] === "[") {
      kind = text[at] === "{" ? "object" : "array";
      const close = kind === "object" ? "}" : "]";
      at++;
      for (blanks(); text[at] !== close; blanks()) {
        if (text[at] === ",") at++;
        blanks();
        const begin = at;
        let member: string | undefined;
        if (kind === "object") {
          member = string();
          blanks();
          at++;
          blanks();
        }
        value(begin, member, inside);
      }
      at++;
    } else {
      kind = /[-0-9]/.test(text[at] as string) ? "number" : "word";
      while (at < text.length && !/[\s,\]}]/.test(text[at] as string)) at++;
    }
    const node = { kind, start, end: at, from, name, siblings };
    all.splice(slot, 0, node);
    siblings.push(node);
  };
  blanks();
  value(at, undefined, []);
  return all;
}

const NUMBERS = [
  "0",
  "1",
  "2",
  "3",
  "4",
  "-1",
  "-0",
  "7",
  "127",
  "128",
  "255",
  "256",
  "257",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "9007199254740993",
  "9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "1.0",
  "1.5",
  "2.0",
  "1e0",
  "2e0",
  "1E+2",
  "1e-1",
  "1e400",
  "1e-400",
  "00",
  "01",
  "+1",
  "1.",
  ".5",
  "0x10",
  "NaN",
  "Infinity",
  "1e",
  "-",
  "123456789012345678901234567890",
  "0.1234567890123456789",
];

const STRINGS = [
  "",
  "SGX",
  "TDX",
  "QE",
  "TD_QE",
  "QVE",
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
  "TDRelaunchAdvised",
  "Unknown",
  "1970-01-01T00:00:00Z",
  "1969-12-31T23:59:59Z",
  "2020-02-30T00:00:00Z",
  "2024-02-29T00:00:00Z",
  "2023-02-29T00:00:00Z",
  "2017-03-15T00:00:00Z",
  "2049-12-31T23:59:59Z",
  "9999-12-31T23:59:59Z",
  "2024-06-01T00:00:00+01:00",
  "2024-06-01T00:00:00.000Z",
  "2024-06-01",
  "2024-06-01t00:00:00z",
  "00",
  "0000",
  "FFFFFFFF",
  "TDX_01",
  "TDX_03",
  "tdx_01",
  "INTEL-SA-00001",
  "an advisory of more than twenty bytes",
  "\\u0055pToDate",
  "UpToDate\\u0000",
  "\\u0000",
  "\\u00e9",
  "\u00e9",
  "\\ud83d\\ude00",
  "\\ud83d",
  "\\udc00",
  "\\u12",
  "\\x",
  "\\n\\u001b[2J",
  '\\"',
  "\\/",
  "\u2028",
  "\t",
  "\n",
  "\u0001",
];

const OTHERS = [
  "null",
  "true",
  "false",
  "{}",
  "[]",
  '""',
  "0",
  "[[]]",
  '{"":{}}',
  "",
  "nul",
  "tru",
  "[1,]",
  '{"a":1,}',
  "/**/0",
];

const HEX = /^"[0-9a-fA-F]+"$/;
const DATE = /^"\d{4}-\d\d-\d\dT/;

function otherHex(random: Random, token: string): string {
  const digits = token.slice(1, -1);
  const at = random.below(digits.length);
  switch (random.below(6)) {
    case 0:
      return `"${digits.slice(0, at)}${random.pick([..."0123456789abcdefABCDEF"])}${digits.slice(at + 1)}"`;
    case 1:
      return `"${digits.toLowerCase()}"`;
    case 2:
      return `"${digits.slice(0, -1)}"`;
    case 3:
      return `"${digits}00"`;
    case 4:
      return `"${digits.slice(0, at)}g${digits.slice(at + 1)}"`;
    default:
      return `"${random.pick(["0", "F"]).repeat(digits.length)}"`;
  }
}

function otherDate(random: Random, token: string): string {
  const date = new Date(Date.parse(token.slice(1, -1)) + random.pick([-1, 1, -40, 40, -4000, 4000]) * 86_400_000);
  return `"${date.toISOString().replace(".000Z", "Z")}"`;
}

function otherValue(random: Random, token: string, kind: JsonNode["kind"]): string {
  if (random.once(6)) return random.pick(OTHERS);
  if (kind === "number") {
    return random.once(3) ? String(Number(token) + random.pick([1, -1, 256])) : random.pick(NUMBERS);
  }
  if (kind === "string") {
    if (HEX.test(token) && !random.once(4)) return otherHex(random, token);
    if (DATE.test(token) && !random.once(3)) return otherDate(random, token);
    if (random.once(8)) return `"${"x".repeat(random.below(3000))}"`;
    return `"${random.pick(STRINGS)}"`;
  }
  return random.pick(OTHERS);
}

/** The same value in another spelling: nothing that RapidJSON would write differently once it is read. */
function respelled(random: Random, token: string, kind: JsonNode["kind"]): string {
  if (kind !== "string") return `${random.pick([" ", "\n", "\t", "\r\n  "])}${token}${random.pick(["", " "])}`;
  const at = 1 + random.below(Math.max(1, token.length - 2));
  const code = token.charCodeAt(at);
  if (token.length < 3 || token.includes("\\") || code >= 0x80) return ` ${token}`;
  return `${token.slice(0, at)}\\u00${code.toString(16).padStart(2, "0")}${token.slice(at + 1)}`;
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function withoutMember(text: string, { from, end, siblings }: JsonNode): string {
  if (siblings.length === 1) return splice(text, from, end, "");
  const comma = text.indexOf(",", end);
  const next = siblings.find((sibling) => sibling.from > from);
  return next === undefined ? splice(text, text.lastIndexOf(",", from), end, "") : splice(text, from, comma + 1, "");
}

function repeated(random: Random, text: string, { from, start, end }: JsonNode, kind: JsonNode["kind"]): string {
  const other = text.slice(from, start) + otherValue(random, text.slice(start, end), kind);
  const same = text.slice(from, end);
  // Once in a while more elements than any document may have.
  const times = random.once(40) ? 1100 : random.once(4) ? random.below(20) : 1;
  const copies = Array.from({ length: times }, () => (random.once(2) ? same : other)).join(",");
  return splice(text, from, end, random.once(2) ? `${same},${copies}` : `${copies},${same}`);
}

/** Changes a valid JSON text in one place, given its {@link jsonNodes}. */
export function mutateJson(random: Random, text: string, nodes: readonly JsonNode[]): string {
  // Values inside are what matters; the document itself is one of hundreds.
  const node = random.pick(nodes);
  const { start, end, from, kind, siblings } = node;
  const token = text.slice(start, end);
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return splice(text, start, end, otherValue(random, token, kind));
    case 6:
      return splice(text, start, end, respelled(random, token, kind));
    case 7:
      return withoutMember(text, node);
    case 8:
    case 9:
      return repeated(random, text, node, kind);
    case 10: {
      const other = random.pick(siblings);
      const [a, b] = other.from < from ? [other, node] : [node, other];
      if (a === b) return splice(text, start, end, "");
      const swapped = text.slice(b.from, b.end) + text.slice(a.end, b.from) + text.slice(a.from, a.end);
      return splice(text, a.from, b.end, swapped);
    }
    case 11: {
      const at = random.below(text.length);
      return splice(
        text,
        at,
        at + random.below(3),
        random.pick([",", ":", "{", "}", "[", "]", '"', "\\", " ", "", "0"]),
      );
    }
    case 12: {
      const depth = random.once(4) ? 28 + random.below(200) : 1 + random.below(4);
      return splice(text, start, end, "[".repeat(depth) + token + "]".repeat(depth));
    }
    default:
      return splice(text, start, end, JSON.stringify(token));
  }
}
