import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { testTls } from "@confcom/collateral/testing";
import { type Check, expect, expectEqual } from "../check.ts";
import { certified, makeCertified } from "../collateral-clients/certified.ts";
import { startFakePcs } from "../collateral-clients/fake-pcs.ts";
import { confcomStatus } from "../confcom.ts";
import type { Scene } from "../scene.ts";

/** A quote, and what its verifier is told: the root, and where collateral comes from. */
interface Question {
  readonly quote: Uint8Array;
  readonly rootPem: string;
  readonly source: readonly string[];
}

export const collateralSources: readonly Check<Scene>[] = [
  {
    name: "collateral: confcom verify and collateral fetch from the service, http and https",
    deadline: 300_000,
    async run(scene) {
      const plain = await certified(scene);
      const { pccs, quote } = plain;
      await verifies(scene, { quote, rootPem: pccs.root, source: ["--pccs-url", pccs.base] }, "over http");
      const tls = testTls("interop");
      const secure = await makeCertified(scene, { tls });
      const source = ["--source", secure.pccs.base];
      const question = { quote: secure.quote, rootPem: secure.pccs.root, source };
      const ca = scene.places.file("ca.pem", tls.ca);
      await verifies(scene, { ...question, source: [...source, "--tls-ca", ca] }, "over https");
      const untrusted = await refusal(scene, question, /verify the first certificate/);
      const proxy = await flippingProxy(pccs.url);
      const flipped = await refusal(scene, {
        quote,
        rootPem: pccs.root,
        source: ["--source", `${proxy.url}/sgx/certification/v4/`],
      }).finally(proxy.close);
      return `verified over both; without the CA: ${untrusted}; a flipped bit on the way: ${flipped}`;
    },
  },
  {
    name: "collateral: confcom verify and collateral fetch from files: what collateral export and collateral fetch write",
    deadline: 300_000,
    async run(scene) {
      const { helper, pccs, quote } = await certified(scene);
      const directory = join(scene.places.fresh().state, "..", "exported");
      await succeeds(["collateral", "export", "--state", helper.state, "--out", directory]);
      const common = { quote, rootPem: pccs.root };
      await verifies(scene, { ...common, source: ["--source", directory] }, "from the exported directory");
      const fetched = join(scene.places.fresh().state, "..", "collateral.json");
      const args = ["--out", fetched, "--source", pccs.base, ...trusting(scene, pccs.root)];
      await succeeds(["collateral", "fetch", scene.places.file("quote.bin", quote), ...args]);
      await verifies(scene, { ...common, source: ["--source", fetched] }, "from the fetched file");
      // The directory has TCB info twice: by itself and among the nine fields.
      for (const file of [join(directory, "tcb-info.json"), join(directory, "collateral.json"), fetched]) {
        writeFileSync(file, flipTcbInfoSignature(readFileSync(file, "utf8")));
      }
      const causes: string[] = [];
      for (const source of [directory, fetched]) {
        causes.push(await refusal(scene, { ...common, source: ["--source", source] }));
      }
      return `verified from both; with a flipped bit in TCB info's signature: ${causes.join("; ")}`;
    },
  },
  ...(["pcs", "thim"] as const).map(
    (form): Check<Scene> => ({
      name: `collateral: confcom verify and collateral fetch from ${form.toUpperCase()} answers served locally`,
      deadline: 300_000,
      async run(scene) {
        const pcs = await startFakePcs(scene.now(), { form });
        try {
          const { service, pki } = pcs;
          const base = form === "thim" ? service.base.replace(/v4\/$/, "") : service.base;
          const question = { quote: pcs.quote("sgx"), rootPem: pki.rootPem, source: ["--source", `${form}+${base}`] };
          await verifies(scene, question, `from ${form}`);
          service.fail({ kind: "wrong-signature" }, { path: "/tcb?" });
          const tcbInfo = await refusal(scene, question);
          service.heal();
          service.fail({ kind: "wrong-signature" }, { path: "pckcrl" });
          const crl = await refusal(scene, question);
          return `verified after ${service.requests.length} requests in all; flipped: ${tcbInfo}; ${crl}`;
        } finally {
          await pcs.service.close();
        }
      },
    }),
  ),
];

function trusting(scene: Scene, rootPem: string): string[] {
  return ["--trust-root", scene.places.file("root.pem", rootPem), "--cache", "none"];
}

/** `verify` alone, and `collateral fetch` followed by `verify` with what it wrote and no source. */
async function verifies(scene: Scene, { quote, rootPem, source }: Question, where: string): Promise<void> {
  const file = scene.places.file("quote.bin", quote);
  const trust = trusting(scene, rootPem);
  const said = await succeeds(["verify", file, ...source, ...trust]);
  expect(said.startsWith("VERIFIED OK"), `verify ${where}: ${said.slice(0, 200)}`);
  const out = join(scene.places.fresh().state, "..", "collateral.json");
  await succeeds(["collateral", "fetch", file, "--out", out, ...source, ...trust]);
  const offline = await succeeds(["verify", file, "--collateral", out, ...trust.slice(0, 2)]);
  expect(offline.startsWith("VERIFIED OK"), `verify with what was fetched ${where}: ${offline.slice(0, 200)}`);
}

async function succeeds(args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await confcomStatus(args);
  expect(status === 0, `confcom ${args[0]}: exit ${status}: ${stderr.slice(0, 400)}`);
  return stdout;
}

/** What `verify` says when it gets nothing that it believes; no verdict on the quote may be there. */
async function refusal(scene: Scene, { quote, rootPem, source }: Question, cause = /signature/i): Promise<string> {
  const file = scene.places.file("quote.bin", quote);
  const args = ["verify", file, ...source, ...trusting(scene, rootPem), "--deadline", "5s"];
  const { status, stdout, stderr } = await confcomStatus(args);
  expectEqual(status, 76, `exit status of verify (${stdout.slice(0, 200)} ${stderr.slice(0, 400)})`);
  expectEqual(stdout, "", "standard output of verify");
  const line = stderr.split("\n").find((text) => text.startsWith("error ")) ?? stderr;
  expect(cause.test(line), `the cause: ${line}`);
  return line.replace(/^error /, "").slice(0, 200);
}

/** Passes everything on and changes the last digit of the signature in TCB info. */
async function flippingProxy(url: string): Promise<{ url: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    const reply = await fetch(url + (request.url ?? ""));
    const body = Buffer.from(await reply.arrayBuffer());
    const headers = Object.fromEntries([...reply.headers].filter(([name]) => !/^(connection|keep-alive)$/.test(name)));
    const flips = request.url?.includes("/tcb?") === true;
    response.writeHead(reply.status, headers).end(flips ? flipTcbInfoSignature(body.toString("utf8")) : body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

/** In the signed document, or in the nine fields. */
function flipTcbInfoSignature(text: string): string {
  const flip = (_: string, before: string, digit: string) => before + (digit === "0" ? "1" : "0");
  const nine = /("tcb_info_signature":\s*"[0-9a-f]{127})([0-9a-f])/;
  const changed = nine.test(text)
    ? text.replace(nine, flip)
    : text.replace(/("signature":\s*"[0-9a-f]{127})([0-9a-f])/, flip);
  if (changed === text) throw new Error("there is no signature to flip");
  return changed;
}
