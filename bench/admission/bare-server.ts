import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

// The limit of the webhook: node:https, which takes a request's bytes and answers with a body that is ready.
//
//   bare-server.ts CERTIFICATE KEY ANSWER

const [certificate = "", key = "", answer = ""] = process.argv.slice(2);
const body = readFileSync(answer, "utf8");
const headers = {
  "content-type": "application/json",
  "content-length": Buffer.byteLength(body),
  "x-content-type-options": "nosniff",
};

const tls = { cert: readFileSync(certificate), key: readFileSync(key), minVersion: "TLSv1.2" } as const;
const server = createServer({ ...tls, noDelay: true, keepAliveTimeout: 120_000 }, (request, response) => {
  request.on("end", () => {
    response.writeHead(200, headers);
    response.end(body);
  });
  request.resume();
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`));
