// The library resolves its classes through decorator metadata, which must be there first.
import "reflect-metadata";

export * as x509 from "@peculiar/x509";
