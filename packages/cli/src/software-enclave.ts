import { createHash } from "node:crypto";
import {
  createSoftwareEnclave,
  parseCpuSvnName,
  type ReportSecrets,
  type SoftwareEnclave,
} from "@confcom/quoting/software";
import { ATTRIBUTE_FLAGS } from "@confcom/sgx";

export interface DemoEnclaveOptions {
  readonly flags?: bigint;
  readonly mrEnclave?: Uint8Array;
  readonly mrSigner?: Uint8Array;
  readonly isvProdId?: number;
  readonly isvSvn?: number;
  readonly cpuSvn?: string;
  readonly keyId?: Uint8Array;
  readonly secrets?: ReportSecrets;
}

const measurement = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());

/** The enclave of `confcom demo` and `confcom report create`: measurements are hashes of plain texts unless given. */
export function createDemoEnclave(options: DemoEnclaveOptions = {}): SoftwareEnclave {
  const flags = options.flags ?? ATTRIBUTE_FLAGS.INIT | ATTRIBUTE_FLAGS.MODE64BIT;
  const kss = (flags & ATTRIBUTE_FLAGS.KSS) !== 0n;
  return createSoftwareEnclave({
    identity: {
      mrEnclave: options.mrEnclave ?? measurement("confcom demo enclave"),
      mrSigner: options.mrSigner ?? measurement("confcom demo signer"),
      attributes: { flags, xfrm: 0x3n },
      isvProdId: options.isvProdId ?? 0,
      isvSvn: options.isvSvn ?? 0,
      ...(kss
        ? {
            configSvn: 1,
            configId: measurement("confcom demo configuration"),
            isvFamilyId: measurement("confcom demo family").subarray(0, 16),
            isvExtProdId: measurement("confcom demo product").subarray(0, 16),
          }
        : {}),
    },
    cpuSvn: parseCpuSvnName(options.cpuSvn ?? "default"),
    ...(options.keyId === undefined ? {} : { keyId: options.keyId }),
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
  });
}
