/** Certificates (or what stands in their place) as PEM, lines of 64 characters. */
export function pemText(...ders: readonly Uint8Array[]): string {
  return ders.map(pemBlock).join("");
}

const known = new WeakMap<Uint8Array, string>();

function pemBlock(der: Uint8Array): string {
  let text = known.get(der);
  if (text === undefined) {
    const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString("base64");
    let lines = "";
    for (let at = 0; at < base64.length; at += 64) lines += `${base64.slice(at, at + 64)}\n`;
    text = `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
    known.set(der, text);
  }
  return text;
}
