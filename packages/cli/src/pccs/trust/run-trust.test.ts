import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json, text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { preparedFiles } from "../prepare/prepared-files.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

interface StoredObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** An API server that stores what is applied, for whoever has the token. */
async function apiServer(t: TestContext) {
  const objects = new Map<string, StoredObject>();
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] as string;
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    const body = request.method === "PATCH" ? ((await json(request)) as StoredObject) : undefined;
    if (request.headers.authorization !== "Bearer of-the-pod") return answer(401, { message: "who are you" });
    if (body !== undefined) objects.set(path, body);
    const found = objects.get(path);
    return found === undefined ? answer(404, { message: "not found" }) : answer(200, found);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { objects, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("confcom pccs trust publishes a prepared directory once its root is there, says so in /readyz, and ends at SIGTERM", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-trust-"));
  const state = join(directory, "state");
  const preparing = spawn(process.execPath, [main, "pccs", "prepare", "--state", state, "--dns-name", "sgx-pccs"]);
  assert.deepEqual(await once(preparing, "exit"), [0, null]);
  const api = await apiServer(t);
  const [tokenFile, caFile] = [join(directory, "token"), join(directory, "ca.crt")];
  writeFileSync(tokenFile, "of-the-pod");
  writeFileSync(caFile, "");
  const inCluster = ["--api-server", api.url, "--token-file", tokenFile, "--ca-file", caFile];
  const options = ["--state", state, "--namespace", "kube-system", "--listen", "127.0.0.1:0", "--json"];
  const child = spawn(process.execPath, [main, "pccs", "trust", ...options, ...inCluster], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exited, log] = [once(child, "exit"), text(child.stderr)];
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(directory, { recursive: true });
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const status = new URL((JSON.parse(line) as { status: string }).status);
  const ready = () => fetch(new URL("/readyz", status));
  const notYet = await ready();
  assert.deepEqual([notYet.status, api.objects.size], [503, 0]);
  // Any CA's certificate does as the root here.
  const files = preparedFiles(state);
  const ca = readFileSync(files.ca, "utf8");
  mkdirSync(join(state, "software-authority"), { mode: 0o700 });
  writeFileSync(join(state, "software-authority", "root-ca.pem"), ca);
  for (let n = 0; n < 200 && (await ready()).status !== 200; n++) await sleep(100);
  assert.equal((await ready()).status, 200);
  const token = readFileSync(files.userToken, "utf8").trim();
  assert.deepEqual(
    [...api.objects].map(([path, { data }]) => [path, data]),
    [
      ["/api/v1/namespaces/kube-system/configmaps/sgx-quote-root", { "root-ca.pem": ca, "pccs-ca.pem": ca }],
      [
        "/api/v1/namespaces/kube-system/secrets/sgx-pccs-user-token",
        { "user-token": Buffer.from(token).toString("base64") },
      ],
    ],
  );
  const shown = await (await fetch(status)).text();
  assert.match(shown, /"names": \[\s*"sgx-pccs"\s*\]/);
  child.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
  assert.ok(!`${await log}${shown}`.includes(token));
});
