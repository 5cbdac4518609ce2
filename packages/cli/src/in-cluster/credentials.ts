import { constants, type FileHandle, open } from "node:fs/promises";
import type { ApiCredentials } from "@confcom/kubernetes/api";

export interface CredentialFiles {
  readonly tokenFile: string;
  readonly caFile: string;
}

/** Bytes of a token or of a bundle of CA certificates. */
const CREDENTIAL_LIMIT = 1 << 20;

/**
 * The token and the CA certificates as they are now: read at every use, because the kubelet replaces both while the pod
 * lives. Rejects with an Error that names the file; never waits for a writer and reads no more than 1 MiB of either.
 */
export async function readCredentials({ tokenFile, caFile }: CredentialFiles): Promise<ApiCredentials> {
  const [token, ca] = await Promise.all([readSmallFile(tokenFile), readSmallFile(caFile)]);
  const trimmed = token.trim();
  if (trimmed === "") throw new Error(`${tokenFile} is empty`);
  if (/[^\x21-\x7e]/.test(trimmed)) throw new Error(`${tokenFile} holds no token`);
  return { token: trimmed, ca };
}

async function readSmallFile(path: string): Promise<string> {
  // Without O_NONBLOCK a FIFO in the place of the file would hold a thread of the pool for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`);
    return await readBounded(file, path);
  } finally {
    await file.close();
  }
}

async function readBounded(file: FileHandle, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(16_384), 0, 16_384, null);
    if (bytesRead === 0) return Buffer.concat(chunks).toString("utf8");
    size += bytesRead;
    if (size > CREDENTIAL_LIMIT) throw new Error(`${path} is larger than ${CREDENTIAL_LIMIT} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
