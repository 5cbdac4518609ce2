import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { usage } from "../usage-error.ts";

export const OUTPUT_FORMATS = ["json", "yaml", "table", "none"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** `--json` and `-o` as they were given. Throws CommandError `CLI_USAGE` where they contradict each other. */
export function outputFormat(
  { json, output }: { readonly json?: boolean; readonly output?: OutputFormat },
  usual: OutputFormat = "json",
): OutputFormat {
  if (json !== true) return output ?? usual;
  if (output !== undefined && output !== "json") throw usage(`--json and -o ${output} contradict each other`, "addon");
  return "json";
}

export type TableRow = Readonly<Record<string, string | boolean | null>>;

/** Prints a result in the formats of `az`: JSON with its keys in order, and tables of what a person asks for. */
export async function printResult(
  result: unknown,
  rows: readonly TableRow[],
  format: OutputFormat,
  output: Output,
): Promise<void> {
  if (format === "json") output.json(inOrder(result));
  if (format === "table") for (const line of tableLines(rows)) output.line(line);
  if (format !== "yaml") return;
  const { yamlText } = await import("@confcom/kubernetes/addon");
  output.raw(new TextEncoder().encode(yamlText(inOrder(result))));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, inOrder(one)]));
}

/** Columns as az draws them: at least two wider than their heading, a null leaves its column out. */
export function tableLines(rows: readonly TableRow[]): readonly string[] {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row).filter((key) => row[key] !== null)))];
  const heading = (key: string) => key.charAt(0).toUpperCase() + key.slice(1);
  const cell = (row: TableRow, key: string) => {
    const value = row[key] ?? "";
    return typeof value === "boolean" ? (value ? "True" : "False") : printable(value);
  };
  const widths = keys.map((key) => Math.max(heading(key).length + 2, ...rows.map((row) => cell(row, key).length)));
  const line = (cells: readonly string[]) => {
    return cells
      .map((text, index) => text.padEnd(widths[index] as number))
      .join("  ")
      .trimEnd();
  };
  return [
    line(keys.map(heading)),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map((row) => line(keys.map((key) => cell(row, key)))),
  ];
}
