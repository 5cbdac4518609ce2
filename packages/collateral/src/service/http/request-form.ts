import type { IncomingMessage } from "node:http";

/** The path of a URL in origin or absolute form. */
export function pathOf(url: string): string {
  const question = url.indexOf("?");
  const whole = question < 0 ? url : url.slice(0, question);
  return whole.startsWith("/") ? whole : whole.replace(/^https?:\/\/[^/]*/i, "");
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** If-None-Match by weak comparison, of GET and HEAD. */
export function isFresh({ headers, method }: IncomingMessage, etag: string): boolean {
  const given = headers["if-none-match"];
  if (given === undefined || (method !== "GET" && method !== "HEAD")) return false;
  const strong = etag.slice(2);
  return given.trim() === "*" || given.split(",").some((one) => one.trim().replace(/^W\//, "") === strong);
}
