export { parseDatabaseUrl } from "./database-url.ts";
export { MIGRATIONS, type Migration } from "./migrations.ts";
export { openPostgresStore } from "./open-postgres-store.ts";
export type { PostgresStoreOptions } from "./postgres-store.ts";
