import { fileURLToPath } from "node:url";
import { type Check, expect } from "../check.ts";
import { measure } from "../postgres/measure.ts";
import { run } from "../program.ts";
import type { Scene } from "../scene.ts";

/** Facts about the store in PostgreSQL, on the system's server: a file of tests each. */
const FACTS: Readonly<Record<string, string>> = {
  conformance: "the same store as SQLite's",
  replicas: "several replicas: changes heard of, one lease, registrations once, no deadlock",
  "bad-days": "the server crashed under load or gone, a replica killed with leases",
  migration: "a new replica migrates beside an old one under load",
  operations: "backup under load and restore, a role without other rights, connections",
};

const ofTests: readonly Check<Scene>[] = Object.entries(FACTS).map(([file, what]) => ({
  name: `postgres: ${what}`,
  deadline: 180_000,
  async run() {
    const path = fileURLToPath(new URL(`../postgres/${file}.test.ts`, import.meta.url));
    const { status, stdout, stderr } = await run(process.execPath, [
      "--test",
      "--test-reporter=tap",
      "--test-timeout=60000",
      path,
    ]);
    const said = stdout.toString("utf8");
    const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(said)?.[1] ?? 0);
    const failed = [...said.matchAll(/^not ok \d+ - (.*)$/gm)].map((match) => match[1]);
    const reason = /^ *error: (.*)$/m.exec(said)?.[1] ?? stderr.slice(-300);
    expect(failed.length === 0 && status === 0, `${failed.join("; ") || `exit ${status}`}: ${reason}`);
    expect(count("pass") > 0 && count("skipped") === 0, "no test ran, or one was skipped");
    return `${count("pass")} tests passed`;
  },
}));

export const postgres: readonly Check<Scene>[] = [
  ...ofTests,
  {
    name: "postgres: an import and reads through the socket, measured",
    deadline: 120_000,
    run: measure,
  },
];
