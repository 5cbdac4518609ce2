export { nodeFileSystem } from "./node-file-system.ts";
export { StateDirectory, type StateWarning } from "./state-directory.ts";
export type { EntryFacts, StateFileSystem } from "./state-file-system.ts";
