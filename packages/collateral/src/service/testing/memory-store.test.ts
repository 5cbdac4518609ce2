import { storeFacts } from "../../store/conformance/index.ts";
import { MemoryStore } from "./memory-store.ts";

const clock = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};

storeFacts("memory store", async () => new MemoryStore(clock));
