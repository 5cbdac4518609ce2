export { type PostgresServer, startPostgres, withClient } from "./postgres-server.ts";
