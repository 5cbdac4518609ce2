export type { AnswerCache, CachedAnswer } from "./cached-answer.ts";
export { type DiskCacheOptions, openDiskCache } from "./disk-cache.ts";
