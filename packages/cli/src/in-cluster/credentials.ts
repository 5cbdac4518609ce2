import type { ApiCredentials } from "@confcom/kubernetes/api";
import { readSmallFile } from "./small-file.ts";

export interface CredentialFiles {
  readonly tokenFile: string;
  readonly caFile: string;
}

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
