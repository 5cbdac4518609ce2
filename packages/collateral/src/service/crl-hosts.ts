/**
 * Whether a CRL may be fetched from there: over HTTPS (or HTTP, where a test or software root names it so), from one of
 * the hosts that belong to the upstream and the trusted root, `host` or `host:port`. Nothing else is ever asked for what a
 * client names (spec: DCAP §12, GET /crl).
 */
export function crlUrlAllowed(text: string, hosts: readonly string[]): boolean {
  if (text.length > 2048 || !URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  if (url.username !== "" || url.password !== "" || url.hash !== "") return false;
  // The form with a scheme is for hosts that answer without TLS; a bare name is HTTPS only.
  return hosts.includes(url.protocol === "https:" ? url.host : `http://${url.host}`);
}
