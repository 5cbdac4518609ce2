export { parseDatabaseUrl } from "./database-url.ts";
export { MIGRATIONS, type Migration } from "./migrations.ts";
export { openPostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
