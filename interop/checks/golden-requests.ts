import {
  GOLDEN_CPU_SVN,
  GOLDEN_ENCRYPTED_PPID,
  GOLDEN_FMSPC,
  GOLDEN_QE_ID,
  GOLDEN_REQUESTS,
  type GoldenRequest,
  servedGolden,
} from "@confcom/collateral/testing";
import { type Check, expect, expectEqual } from "../check.ts";
import { type FakePcs, startFakePcs } from "../collateral-clients/fake-pcs.ts";
import { type Pccs, startPccs } from "../pccs.ts";
import type { Scene } from "../scene.ts";

export const goldenRequests: readonly Check<Scene>[] = [
  {
    name: "collateral: every URL that QCNL and az-dcap-client build, sent to the service: answer, encoding and headers as the table says",
    deadline: 300_000,
    async run(scene) {
      const platform = { fmspc: GOLDEN_FMSPC, tcbs: [{ components: Buffer.from(GOLDEN_CPU_SVN, "hex"), pceSvn: 13 }] };
      const pcs = await startFakePcs(scene.now(), { platform });
      const { service, pki } = pcs;
      try {
        const pccs = scene.keep(await startPccs(scene.places, { upstream: service.base, upstreamRoot: pki.rootPem }));
        const count = new Map<string, number>();
        for (const golden of GOLDEN_REQUESTS) {
          await answered(pccs, golden, pcs);
          count.set(golden.client, (count.get(golden.client) ?? 0) + 1);
        }
        const counted = [...count].map(([client, requests]) => `${requests} of ${client}`);
        return `${counted.join(", ")}: status, type, body and headers; SVNs in little-endian bytes`;
      } finally {
        await service.close();
      }
    },
  },
];

/** The URL as the table has it, but of the platform and the root that the provisioning service knows. */
function urlOf({ path, asks }: GoldenRequest, { platform, pki }: FakePcs): string {
  const { qeId, encryptedPpid } = platform;
  const url = path
    .replace(GOLDEN_QE_ID, qeId)
    .replace(GOLDEN_QE_ID.toLowerCase(), qeId.toLowerCase())
    .replace(GOLDEN_ENCRYPTED_PPID, encryptedPpid)
    .replace(GOLDEN_ENCRYPTED_PPID.toLowerCase(), encryptedPpid.toLowerCase());
  return asks?.kind === "crl" ? url.replace(asks.url, pki.rootCaCrlUrl) : url;
}

async function answered(pccs: Pccs, golden: GoldenRequest, pcs: FakePcs): Promise<void> {
  const what = `${golden.client}, ${golden.name}`;
  const { asks } = golden;
  const path = urlOf(golden, pcs);
  const reply = await fetch(pccs.url + path, { headers: golden.headers ?? {} });
  const body = Buffer.from(await reply.arrayBuffer());
  const { status, encoding, answerHeaders = [] } = servedGolden(golden);
  expectEqual(reply.status, status, `${what}: status (${body.toString("utf8", 0, 80)})`);
  for (const name of answerHeaders) expect(reply.headers.get(name) !== null, `${what}: no ${name}`);
  expectEqual(
    reply.headers.get("cache-control") !== null,
    answerHeaders.includes("Cache-Control"),
    `${what}: cache-control`,
  );
  if (status !== 200) return;
  const certificate = asks?.kind === "pck-certificate";
  if (certificate) {
    const leaf = pcs.platform.certificates.certificates[0]?.certificate?.trim();
    const text = body.toString("latin1");
    const got = encoding === "json" ? (JSON.parse(text) as { pckCert: string }).pckCert : text;
    expectEqual(got.trim(), leaf, `${what}: the certificate`);
  }
  switch (encoding) {
    case "der":
      return expectEqual(body.readUInt8(0), 0x30, `${what}: first byte of DER`);
    case "hex":
      return expect(/^30[0-9a-f]+$/.test(body.toString("latin1")), `${what}: the body is no hexadecimal DER`);
    case "pem":
      return certificate
        ? undefined
        : expect(body.toString("latin1").startsWith("-----BEGIN X509 CRL-----\n"), `${what}: the body is no PEM CRL`);
    case "json": {
      const json = JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>>;
      if (!certificate) return expect(typeof json.signature === "string", `${what}: no signature`);
      return expectEqual(String(json["sgx-Tcbm"]), reply.headers.get("sgx-tcbm"), `${what}: sgx-Tcbm`);
    }
  }
}
