import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createAuthority, issueServerCertificate } from "../../tls-authority/index.ts";
import { createAdmissionServer } from "./admission-server.ts";

const NAME = "sgx-webhook.kube-system.svc";

async function served() {
  const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };
  const authority = await createAuthority({ commonName: "sgx-webhook", ...validity });
  const issue = async () => {
    const { certificate, privateKey } = await issueServerCertificate(authority, { dnsNames: [NAME], ...validity });
    return { cert: certificate, key: privateKey };
  };
  return { ca: authority.certificate, first: await issue(), second: await issue() };
}

test("a kept connection survives a new certificate, and new connections see it", async (t) => {
  const { ca, first, second } = await served();
  const server = createAdmissionServer({
    tls: first,
    admission: { resourceNames: "azure", enclaveSlot: false, aesmDirectory: "/var/run/aesmd" },
    timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    elapsed: () => performance.now(),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kept = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: NAME, ALPNProtocols: ["http/1.1"] });
  const fresh = new Agent({ ca, servername: NAME, maxCachedSessions: 0 });
  t.after(() => {
    for (const agent of [kept, fresh]) agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const ask = async (agent: Agent) => {
    const asked = request({ host: "127.0.0.1", port, agent, method: "POST", path: "/mutate/slot" });
    asked.setHeader("content-type", "application/json");
    asked.end("{}");
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const socket = response.socket as TLSSocket;
    const seen = { certificate: socket.getPeerX509Certificate()?.serialNumber, port: socket.localPort };
    response.resume();
    await once(response, "end");
    assert.equal(response.statusCode, 400);
    return seen;
  };
  const before = await ask(kept);
  server.setSecureContext(second);
  assert.deepEqual(await ask(kept), before);
  assert.notEqual((await ask(fresh)).certificate, before.certificate);
});

test("who speaks no TLS is cut off", async (t) => {
  const { first } = await served();
  const server = createAdmissionServer({
    tls: first,
    admission: { resourceNames: "azure", enclaveSlot: false, aesmDirectory: "/var/run/aesmd" },
    timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    elapsed: () => 0,
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("POST /mutate/slot HTTP/1.1\r\n\r\n");
  await once(socket, "close");
});
