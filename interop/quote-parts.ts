/** What the checks need to see inside a version 3 quote, read at the offsets of spec DCAP §3. */
export interface QuoteParts {
  /** Header and report body: the 432 bytes that the attestation key signs. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  readonly attestationKey: Buffer;
  readonly qeReport: Buffer;
  readonly qeReportSignature: Buffer;
  readonly authData: Buffer;
  /** Leaf, intermediate, root; PEM. */
  readonly chain: readonly string[];
  /** 436 + the declared length of the signature data. */
  readonly length: number;
}

export function readQuote(bytes: Uint8Array): QuoteParts {
  const quote = Buffer.from(bytes);
  if (quote.length < 1020) throw new Error(`a quote of ${quote.length} bytes`);
  const length = 436 + quote.readUInt32LE(432);
  if (quote.length < length) throw new Error(`the quote declares ${length} bytes and has ${quote.length}`);
  const authSize = quote.readUInt16LE(436 + 576);
  const certification = 436 + 578 + authSize;
  const type = quote.readUInt16LE(certification);
  if (type !== 5) throw new Error(`certification data type ${type} where a PCK chain is 5`);
  const size = quote.readUInt32LE(certification + 2);
  return {
    signed: quote.subarray(0, 432),
    signature: quote.subarray(436, 500),
    attestationKey: quote.subarray(500, 564),
    qeReport: quote.subarray(564, 948),
    qeReportSignature: quote.subarray(948, 1012),
    authData: quote.subarray(1014, 1014 + authSize),
    chain: pemBlocks(quote.toString("latin1", certification + 6, certification + 6 + size)),
    length,
  };
}

/** The certificates of a PEM chain, in its order. */
export function pemBlocks(chain: string): string[] {
  return chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** The DER inside one PEM block. */
export function pemToDer(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}
