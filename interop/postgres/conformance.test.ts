import { after, before } from "node:test";
import { storeFacts } from "@confcom/collateral/store/conformance";
import { type PostgresServer, startPostgres } from "@confcom/collateral/store/postgres/testing";
import { openStore } from "./open-store.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});
after(() => server.close());

storeFacts("PostgreSQL", async () => openStore(await server.createDatabase()));
