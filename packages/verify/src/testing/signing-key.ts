import { createECDH, hash } from "node:crypto";
import { concatBytes, fromHex } from "@confcom/sgx";
import { DER_TAG, derElement, derInteger, derOid, derSequence } from "@confcom/sgx/der";

/** Order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ALGORITHM = derSequence(derOid("1.2.840.10045.4.3.2"));

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % ORDER;
    square = (square * square) % ORDER;
  }
  return result;
}

function digest(message: Uint8Array): bigint {
  return BigInt(`0x${hash("sha256", message)}`) % ORDER;
}

function hex32(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

function pointOf(scalar: bigint): Uint8Array {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(hex32(scalar), "hex");
  return new Uint8Array(ecdh.getPublicKey());
}

/**
 * One nonce for every signature, which would give any real key away: these keys are made of public text anyway, and
 * signing becomes one multiplication with the same bytes in every run.
 */
const NONCE = digest(new TextEncoder().encode("nonce of every test signature"));
const NONCE_INVERSE = power(NONCE, ORDER - 2n);
const R = BigInt(`0x${Buffer.from(pointOf(NONCE).subarray(1, 33)).toString("hex")}`) % ORDER;

/** A P-256 key for tests, made of its name. */
export class SigningKey {
  /** 65 bytes. */
  readonly point: Uint8Array;
  readonly #productWithR: bigint;

  constructor(name: string) {
    const scalar = digest(new TextEncoder().encode(`test key: ${name}`));
    this.point = pointOf(scalar);
    this.#productWithR = (scalar * R) % ORDER;
  }

  #s(message: Uint8Array): bigint {
    return (NONCE_INVERSE * (digest(message) + this.#productWithR)) % ORDER;
  }

  /** 64 bytes: ECDSA with SHA-256, r and s. */
  sign(message: Uint8Array): Uint8Array {
    return fromHex(hex32(R) + hex32(this.#s(message)));
  }

  /** A certificate or CRL: what is signed, the algorithm, the signature. */
  signDer(toBeSigned: Uint8Array): Uint8Array {
    const signature = derSequence(derInteger(R), derInteger(this.#s(toBeSigned)));
    return derSequence(toBeSigned, ALGORITHM, derElement(DER_TAG.BIT_STRING, concatBytes(Uint8Array.of(0), signature)));
  }
}
