/** A P-256 public key as the crypto provider holds it; only that provider looks inside. */
export type P256Key = { readonly [opaque]?: never };
declare const opaque: unique symbol;

/** The four primitives that verification needs, synchronous. `nodeCrypto` is one; keys it imports stay its own. */
export interface VerificationCrypto {
  /** 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** 48 bytes. */
  sha384(data: Uint8Array): Uint8Array;
  /** 64 bytes. Verification does without it; some certificates with embedded quotes and some policies do not. */
  sha512?(data: Uint8Array): Uint8Array;
  /** `point` is 65 bytes, 04 and x and y big-endian. Undefined if it is not on the curve. */
  importP256(point: Uint8Array): P256Key | undefined;
  /** ECDSA with SHA-256; `signature` is 64 bytes, r and s big-endian. */
  verifyP256(key: P256Key, message: Uint8Array, signature: Uint8Array): boolean;
}

/** The same primitives where they answer later, as WebCrypto does. */
export interface AsyncVerificationCrypto {
  sha256(data: Uint8Array): Promise<Uint8Array>;
  sha384(data: Uint8Array): Promise<Uint8Array>;
  sha512?(data: Uint8Array): Promise<Uint8Array>;
  importP256(point: Uint8Array): Promise<P256Key | undefined>;
  verifyP256(key: P256Key, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** The hash functions of a provider. */
export type HashFunctions = Pick<VerificationCrypto, "sha256" | "sha384" | "sha512">;

type Request =
  | { readonly op: "sha256" | "sha384" | "sha512"; readonly data: Uint8Array }
  | { readonly op: "importP256"; readonly point: Uint8Array }
  | { readonly op: "verifyP256"; readonly key: P256Key; readonly message: Uint8Array; readonly signature: Uint8Array };

/**
 * Steps are written once, as generators that ask for a primitive and are given its answer, and run by either driver below.
 * So the synchronous and the asynchronous verifier cannot differ.
 */
export type Step<T> = Generator<Request, T, unknown>;

export function* sha256(data: Uint8Array): Step<Uint8Array> {
  return (yield { op: "sha256", data }) as Uint8Array;
}

export function* sha384(data: Uint8Array): Step<Uint8Array> {
  return (yield { op: "sha384", data }) as Uint8Array;
}

/** Undefined if the crypto provider has no SHA-512. */
export function* sha512(data: Uint8Array): Step<Uint8Array | undefined> {
  return (yield { op: "sha512", data }) as Uint8Array | undefined;
}

export function* importP256(point: Uint8Array): Step<P256Key | undefined> {
  return (yield { op: "importP256", point }) as P256Key | undefined;
}

export function* verifyP256(key: P256Key, message: Uint8Array, signature: Uint8Array): Step<boolean> {
  return (yield { op: "verifyP256", key, message, signature }) as boolean;
}

function answer(crypto: VerificationCrypto | AsyncVerificationCrypto, request: Request): unknown {
  switch (request.op) {
    case "sha256":
      return crypto.sha256(request.data);
    case "sha384":
      return crypto.sha384(request.data);
    case "sha512":
      return crypto.sha512?.(request.data);
    case "importP256":
      return crypto.importP256(request.point);
    case "verifyP256":
      return crypto.verifyP256(request.key, request.message, request.signature);
  }
}

export function runStep<T>(step: Step<T>, crypto: VerificationCrypto): T {
  let next = step.next();
  while (!next.done) next = step.next(answer(crypto, next.value));
  return next.value;
}

export async function runStepAsync<T>(step: Step<T>, crypto: AsyncVerificationCrypto | VerificationCrypto): Promise<T> {
  let next = step.next();
  while (!next.done) next = step.next(await answer(crypto, next.value));
  return next.value;
}
