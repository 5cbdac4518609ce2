import type { IncomingMessage, ServerResponse } from "node:http";
import { ServiceRefusal } from "../status.ts";

/** The body is longer than its endpoint's limit. */
export class BodyTooLarge extends Error {}

/**
 * The JSON of a request: an object or a list in UTF-8, said to be JSON, at most `limit` bytes, refused by its announced
 * length before a byte is read. Fails with ServiceRefusal 400 for its form, or where the connection ends before it, and with
 * BodyTooLarge.
 */
export async function readJson(request: IncomingMessage, response: ServerResponse, limit: number): Promise<unknown> {
  const bytes = await readJsonText(request, response, limit);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    // The parser's message quotes the text.
    throw new ServiceRefusal(400, `the body is not JSON (${cause instanceof SyntaxError ? "syntax" : "not UTF-8"})`);
  }
  if (typeof value !== "object" || value === null) throw new ServiceRefusal(400, "the body is no JSON object or list");
  return value;
}

/** The same for what is parsed elsewhere: the bytes of a body that is said to be JSON. */
export async function readJsonText(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<Uint8Array> {
  const announced = request.headers["content-length"];
  if (announced !== undefined && Number(announced) > limit) throw new BodyTooLarge();
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new ServiceRefusal(400, "the body is not said to be JSON");
  const encoding = request.headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding !== "identity") throw new ServiceRefusal(400, "the body is compressed");
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return readBytes(request, limit);
}

function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        chunks.length = 0;
        request.pause();
        request.removeAllListeners("data");
        reject(new BodyTooLarge());
        return;
      }
      chunks.push(chunk);
    });
    const ended = () => reject(new ServiceRefusal(400, "the connection ended before the body"));
    request.once("end", () => resolve(Buffer.concat(chunks, length)));
    request.once("error", ended);
    request.once("close", ended);
  });
}
