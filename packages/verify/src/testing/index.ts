export { sign, unsign } from "./forge.ts";
export * from "./mutated-subject.ts";
export * from "./random.ts";
export * from "./subject.ts";
