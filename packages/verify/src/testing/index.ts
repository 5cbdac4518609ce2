export { sign, unsign } from "./forge.ts";
export * from "./mutated-subject.ts";
export { pemText } from "./pem-text.ts";
export * from "./random.ts";
export { SigningKey } from "./signing-key.ts";
export * from "./subject.ts";
