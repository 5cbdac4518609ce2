import { parseArgs } from "node:util";
import { type ClusterBinaries, ensureBinaries } from "./cluster-binaries.ts";
import { ensureDnsProgram } from "./dns-program.ts";

const USAGE = `Usage: npm run cluster:binaries -- [options]
Builds Kubernetes, etcd, helm and CoreDNS for the development cluster, unless this machine has them already.
  --cache DIR   where builds are kept (default: $XDG_CACHE_HOME/confcom/kubernetes)
  --json        print directory, key, Go version, time and each program's version and bytes as JSON
`;

const { values } = parseArgs({
  options: {
    cache: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
}
try {
  const options = {
    ...(values.cache === undefined ? {} : { cacheDirectory: values.cache }),
    log: (line: string) => process.stderr.write(`${line}\n`),
    signal: stop.signal,
  };
  const binaries = await ensureBinaries(options);
  const dns = await ensureDnsProgram(options);
  const text = values.json ? `${JSON.stringify({ ...binaries, dns }, null, 2)}\n` : `${table(binaries)}${table(dns)}`;
  process.stdout.write(text);
} catch (error) {
  process.stderr.write(`cluster binaries: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function table(binaries: ClusterBinaries): string {
  const rows = binaries.programs.map(
    ({ name, version, bytes }) => `${name.padEnd(24)} ${version.padEnd(10)} ${(bytes / 1e6).toFixed(0).padStart(4)} MB`,
  );
  const seconds = (binaries.milliseconds / 1000).toFixed(1);
  const how = binaries.cached ? "there already" : `built with ${binaries.goVersion}`;
  return `${rows.join("\n")}\n${binaries.directory} (${how}, ${seconds} s)\n`;
}
