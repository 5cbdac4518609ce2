export * from "./migrate-intel-database.ts";
