/** What a go.mod file says; nothing that this project does not use. */
export interface GoModule {
  /** The oldest Go that may build it. */
  readonly go: string;
  /** Packages of the programs, in the order of the file. */
  readonly tools: readonly string[];
  /** Module to version. */
  readonly requires: ReadonlyMap<string, string>;
  /** Module to the module and version that stand in for it. */
  readonly replaces: ReadonlyMap<string, { readonly path: string; readonly version: string | undefined }>;
}

/** Reads the text of a go.mod file. Directives may stand alone or in a block; comments are dropped. */
export function parseGoModule(text: string): GoModule {
  let go = "";
  const tools: string[] = [];
  const requires = new Map<string, string>();
  const replaces = new Map<string, { path: string; version: string | undefined }>();
  let block: string | undefined;
  for (const line of text.split("\n")) {
    const words = line
      .replace(/\/\/.*/, "")
      .split(/\s+/)
      .filter(Boolean);
    const [first] = words;
    if (first === undefined) continue;
    if (first === ")") {
      block = undefined;
      continue;
    }
    if (words[1] === "(") {
      block = first;
      continue;
    }
    const directive = block ?? first;
    const [a = "", b, c = "", d] = block === undefined ? words.slice(1) : words;
    if (directive === "go") go = a;
    else if (directive === "tool") tools.push(a);
    else if (directive === "require") requires.set(a, b ?? "");
    else if (directive === "replace" && b === "=>") replaces.set(a, { path: c, version: d });
  }
  return { go, tools, requires, replaces };
}
