import { statSync } from "node:fs";

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o022;

export interface SecretFiles {
  /** What they hold is secret: API key, TLS key. */
  readonly secret: readonly (string | undefined)[];
  /** Who can write them decides who is let in: hashes of tokens. */
  readonly trusted: readonly (string | undefined)[];
}

/** What the modes of the service's files allow to others and should not: a line each. What is not there says so itself later. */
export function exposedFiles({ secret, trusted }: SecretFiles): readonly string[] {
  const exposed = (paths: readonly (string | undefined)[], bits: number, what: string) =>
    paths.flatMap((path) => {
      const mode = path === undefined ? 0 : (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
      return (mode & bits) === 0 ? [] : [`${path} has mode ${mode.toString(8)}: ${what}`];
    });
  return [
    ...exposed(secret, OTHERS_READ, "everybody on this machine can read the key in it"),
    ...exposed(trusted, OTHERS_WRITE, "others than its owner can add tokens of their own"),
    ...trusted.flatMap((path) =>
      path !== undefined && statSync(path, { throwIfNoEntry: false })?.size === 0
        ? [`${path} is empty: there is no such token`]
        : [],
    ),
  ];
}
