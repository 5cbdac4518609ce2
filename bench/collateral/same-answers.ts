import { readFileSync } from "node:fs";
import { get } from "node:http";
import type { HttpTarget } from "./http-load.ts";

export interface HttpAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly head: readonly string[];
  readonly body: Buffer;
}

/** One request on one connection. */
export function ask(port: number, path: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, head: response.rawHeaders, body: Buffer.concat(chunks) }),
      );
    }).on("error", reject);
  });
}

/** What is another one in every answer. */
const OF_THE_MOMENT = new Set(["date", "request-id"]);

/** Fails unless both servers send the same: status, headers in their order, body. */
export async function checkSameAnswers(
  ours: HttpTarget,
  theirs: HttpTarget,
  targetFiles: readonly string[],
): Promise<void> {
  for (const file of targetFiles) {
    const target = readFileSync(file, "utf8").split("\n", 1)[0] ?? "";
    const [own, limit] = [await ask(ours.port, target), await ask(theirs.port, target)];
    if (own.status !== 200) throw new Error(`the service answered ${own.status} to ${target.slice(0, 80)}`);
    if (text(own) !== text(limit))
      throw new Error(`the limit answers otherwise than the service:\n${text(own)}\n${text(limit)}`);
  }
}

function text({ status, head, body }: HttpAnswer): string {
  const lines: string[] = [];
  for (let i = 0; i < head.length; i += 2) {
    const name = (head[i] ?? "").toLowerCase();
    lines.push(`${name}: ${OF_THE_MOMENT.has(name) ? "" : head[i + 1]}`);
  }
  // node:http puts its own headers behind all others, wherever they stood.
  return [status, ...lines, body.toString("latin1")].join("\n");
}
