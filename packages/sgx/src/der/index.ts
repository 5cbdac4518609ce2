export * from "./errors.ts";
export * from "./oid.ts";
export * from "./reader.ts";
export * from "./tags.ts";
export * from "./time.ts";
export * from "./writer.ts";
