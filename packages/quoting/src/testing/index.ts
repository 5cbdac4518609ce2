export { CrashingFileSystem, SURVIVALS, type Survival } from "./crashing-file-system.ts";
export { openTestPlatform, TEST_NOW, testRandom } from "./test-platform.ts";
