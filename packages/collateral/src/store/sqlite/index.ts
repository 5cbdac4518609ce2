export { type Restored, restoreSqliteStore } from "./backup.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./open-sqlite-store.ts";
