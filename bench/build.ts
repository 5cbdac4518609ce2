import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface Programs {
  /** The C server: the limit. */
  readonly limit: string;
  /** The C load generator. */
  readonly load: string;
}

/** Compiles one C program of `limit/` into `target/`. Needs gcc and OpenSSL's headers (Debian: gcc, libc6-dev, libssl-dev). */
function compile(name: string, sources: readonly string[], libraries: readonly string[]): string {
  const target = here("target");
  mkdirSync(target, { recursive: true });
  const program = `${target}/${name}`;
  const files = sources.map((source) => here(`limit/${source}`));
  try {
    execFileSync("gcc", ["-O2", "-std=c17", "-Wall", "-Wextra", "-o", program, ...files, ...libraries], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    throw new Error(`cannot compile ${name}; gcc, libc6-dev and libssl-dev are needed. ${output}`, { cause: error });
  }
  return program;
}

/** What the measurement of the quote helper needs. */
export function buildPrograms(): Programs {
  return {
    limit: compile("server", ["server.c", "message.c", "quote.c"], ["-lcrypto"]),
    load: buildLoad(),
  };
}

/** The load on an AESM server. */
export function buildLoad(): string {
  return compile("load", ["load.c"], []);
}

/** The limit of quote verification. */
export function buildVerifyLimit(): string {
  return compile("verify", ["verify.c"], ["-D_POSIX_C_SOURCE=200809L", "-lcrypto"]);
}

/** The load on an HTTP server. */
export function buildHttpLoad(): string {
  return compile("http-load", ["http-load.c"], []);
}

/** The load on an HTTPS server. */
export function buildTlsLoad(): string {
  return compile("tls-load", ["tls-load.c"], ["-lssl", "-lcrypto"]);
}
