import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface BrowserBundle {
  readonly script: string;
  readonly bytes: number;
  readonly gzipped: number;
}

/**
 * Bundles a module of this folder, or all of packages/verify, for a browser. Throws if anything of Node would be needed:
 * an import that stays in the output, or one by the name of a Node module.
 */
export async function bundleForBrowser(entry: "page.ts" | "@confcom/verify"): Promise<BrowserBundle> {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const whole = { contents: 'export * from "@confcom/verify";', resolveDir: folder };
  const result = await build({
    ...(entry === "page.ts" ? { entryPoints: [`${folder}page.ts`] } : { stdin: whole }),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    minify: true,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const imports = [
    ...Object.values(result.metafile.inputs).flatMap((input) => input.imports),
    ...Object.values(result.metafile.outputs).flatMap((output) => output.imports),
  ];
  const foreign = imports.filter(({ path, external }) => external === true || path.startsWith("node:"));
  if (foreign.length > 0) throw new Error(`the bundle imports ${foreign.map(({ path }) => path).join(", ")}`);
  const [output] = result.outputFiles;
  if (output === undefined || /["'`]node:/.test(output.text)) throw new Error("the bundle names a module of Node");
  return {
    script: output.text,
    bytes: output.contents.length,
    gzipped: gzipSync(output.contents, { level: 9 }).length,
  };
}
