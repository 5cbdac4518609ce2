import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Command } from "commander";
import { CommandError } from "../command-error.ts";
import type { Output } from "../terminal/output.ts";
import { chooseStyle } from "../terminal/style.ts";
import { addStatusFlags } from "./status-command.ts";

let server: Server;
let directory = "";
let kubeconfig = "";
/** Path → HTTP status with which it is refused. */
let refused: Record<string, number> = {};

beforeEach(async () => {
  refused = {};
  directory = mkdtempSync(join(tmpdir(), "addon-status-"));
  // A cluster with one node and nothing else.
  server = createServer(({ url = "" }, response) => {
    const path = url.split("?")[0] as string;
    const items = path === "/api/v1/nodes" ? [{ metadata: { name: "worker-1" } }] : [];
    const status = refused[path] ?? (/\/(sgx-quote-root|sgx-addon|sgx-webhook)$/.test(path) ? 404 : 200);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(status === 200 ? { items } : { message: "no" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  kubeconfig = join(directory, "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "t" } }],
    }),
  );
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

/** Runs `addon status`; what it printed and its exit status. */
async function run(...args: string[]): Promise<{ readonly text: string; readonly exit: number }> {
  let text = "";
  let exit = -1;
  const line = (each = "") => {
    text += `${each}\n`;
  };
  const output: Output = {
    style: chooseStyle({ NO_COLOR: "1" }, false),
    line,
    json: (value) => line(JSON.stringify(value)),
    jsonLine: (value) => line(JSON.stringify(value)),
    raw: (bytes) => line(new TextDecoder().decode(bytes)),
    note: line,
  };
  const command = new Command("status").exitOverride().configureOutput({ writeErr: () => undefined });
  addStatusFlags(command, output, (status) => {
    exit = status;
  });
  await command.parseAsync(["--kubeconfig", kubeconfig, ...args], { from: "user" });
  return { text, exit };
}

test("a cluster without the add-on: a table that says so, exit 1", async () => {
  const { text, exit } = await run();
  assert.match(text, /^confcom in kube-system: 1 error\n/);
  assert.match(text, /error ADDON_MISSING {2}Namespace kube-system\n/);
  assert.equal(exit, 1);
});

test("JSON and YAML have everything, in the namespace that was named", async () => {
  const json = JSON.parse((await run("-o", "json", "--namespace", "sgx")).text) as Record<string, unknown>;
  assert.deepEqual(
    [json.namespace, json.healthy, (json.nodes as { name: string }[])[0]?.name],
    ["sgx", false, "worker-1"],
  );
  assert.match((await run("-o", "yaml")).text, /^- cause: there is no DaemonSet sgx-plugin in kube-system$/m);
});

test("who may not look everywhere is told what is missing", async () => {
  refused["/api/v1/configmaps"] = 403;
  refused["/apis/apps/v1/namespaces/kube-system/daemonsets"] = 403;
  const { text, exit } = await run();
  assert.match(text, /warning STATUS_INCOMPLETE .*\n {2}found {2}DaemonSets: GET .*answered 403: no\n/);
  assert.equal(exit, 0);
});

test("nodes that may not be listed, a node that is not there and nonsense are no status", async () => {
  await assert.rejects(
    run("--node", "worker-2"),
    (error) => error instanceof CommandError && /worker-2/.test(error.message),
  );
  await assert.rejects(run("--watch", "0"), /seconds, 1 or more/);
  refused["/api/v1/nodes"] = 403;
  await assert.rejects(run(), /GET \/api\/v1\/nodes: the API server answered 403/);
});
