import { tcbHex, testTls } from "@confcom/collateral/testing";
import { getCollateral } from "@phala/dcap-qvl";
import { type Check, expect, expectEqual } from "../check.ts";
import { certified, makeCertified, SOFTWARE_FMSPC } from "../collateral-clients/certified.ts";
import { type FakePcs, startFakePcs } from "../collateral-clients/fake-pcs.ts";
import { refresh, revokePckCertificate } from "../collateral-clients/revocation.ts";
import { askAzureClient, askPccsClient, askQvlClient, type ClientAnswer } from "../collateral-clients/rust-client.ts";
import { type Verdict, verifyWithNpm } from "../foreign-peers.ts";
import { startPccs } from "../pccs.ts";
import { pemBlocks } from "../quote-parts.ts";
import type { Scene } from "../scene.ts";

const VERSIONS = [4, 3] as const;

export const collateralClients: readonly Check<Scene>[] = [
  ...VERSIONS.map(
    (version): Check<Scene> => ({
      name: `collateral: Fortanix's PCCS client v${version} gets everything of a registered platform, verified under our root`,
      deadline: 300_000,
      async run(scene) {
        const subject = await certified(scene);
        const { pccs, platform } = subject;
        const question = { url: pccs.url, root: pccs.root, version, platform, fmspc: SOFTWARE_FMSPC, ownNames: true };
        const answer = got(await askPccsClient(question));
        expectEqual(
          answer.pckCertificate?.trim(),
          subject.pckCertificate.trim(),
          "the PCK certificate, and the quote's",
        );
        expectEqual(answer.fmspc?.toUpperCase(), SOFTWARE_FMSPC, "FMSPC of the certificate");
        await documentsHold(scene, pccs.url, version, answer);
        await crlsHold(scene, pccs.base, answer);
        const other = await scene.subject();
        refused(await askPccsClient({ ...question, root: other.rootPem }), "under another root");
        const stranger = { ...platform, qeId: "ab".repeat(16) };
        const unknown = await askPccsClient({ ...question, platform: stranger });
        expect(
          unknown.error?.includes("No cache data for this platform") === true,
          `a stranger's platform: ${unknown.error}`,
        );
        return `PCK certificate = the quote's; root CRL; signatures of 2 PCK CRLs, TCB info and QE identity by openssl; another root and a stranger's QE id refused`;
      },
    }),
  ),
  {
    name: "collateral: Fortanix's PCCS client and the crate dcap-qvl over TLS, the CA by SSL_CERT_FILE",
    deadline: 300_000,
    async run(scene) {
      const tls = testTls("interop");
      const { pccs, platform, quote, pckCertificate } = await makeCertified(scene, { tls });
      const tlsCaFile = scene.places.file("ca.pem", tls.ca);
      const question = {
        url: pccs.url,
        root: pccs.root,
        version: 4,
        platform,
        fmspc: SOFTWARE_FMSPC,
        ownNames: true,
      } as const;
      const answer = got(await askPccsClient({ ...question, tlsCaFile }));
      expectEqual(answer.pckCertificate?.trim(), pckCertificate.trim(), "the PCK certificate, and the quote's");
      refused(await askPccsClient(question), "without the CA");
      const qvl = { url: pccs.url, root: pccs.root, quote, now: scene.now() };
      expectEqual(got(await askQvlClient({ ...qvl, tlsCaFile })).status, "UpToDate", "the crate's verdict");
      return "both with the CA; Fortanix's without it refused";
    },
  },
  {
    name: "collateral: Fortanix's Azure client gets the PCK certificate as Azure's JSON",
    deadline: 300_000,
    async run(scene) {
      const { pccs, platform, pckCertificate } = await certified(scene);
      const question = { url: pccs.url, root: pccs.root, platform };
      const answer = got(await askAzureClient(question));
      expectEqual(answer.pckCertificate?.trim(), pckCertificate.trim(), "the PCK certificate, and the quote's");
      const other = await scene.subject();
      refused(await askAzureClient({ ...question, root: other.rootPem }), "under another root");
      return "PCK certificate = the quote's, chain verified by crate pcs; under another root refused";
    },
  },
  {
    name: "collateral: dcap-qvl, crate and npm, fetch from the service and verify with what they got",
    deadline: 300_000,
    async run(scene) {
      const { pccs, quote } = await certified(scene);
      const question = { url: pccs.url, root: pccs.root, quote, now: scene.now() };
      expectEqual(got(await askQvlClient(question)).status, "UpToDate", "the crate's verdict");
      const npm = await npmVerdict(pccs.url, quote, pccs.root, scene);
      expectEqual(npm.status ?? npm.error, "UpToDate", "npm's verdict");
      const { rootPem } = await scene.subject();
      refused(await askQvlClient({ ...question, root: rootPem }), "under another root, the crate");
      expect(!(await npmVerdict(pccs.url, quote, rootPem, scene)).accepted, "npm accepts under another root");
      return "UpToDate from both; under another root refused by both";
    },
  },
  {
    name: "collateral: the crate dcap-qvl refuses once a software platform's PCK certificate is revoked and the service refreshed",
    deadline: 300_000,
    async run(scene) {
      const subject = await makeCertified(scene, {});
      const { quote } = subject;
      const before = { url: subject.pccs.url, root: subject.pccs.root, quote, now: scene.now() };
      expectEqual(got(await askQvlClient(before)).status, "UpToDate", "the crate's verdict before");
      const pccs = await revokePckCertificate(scene, subject);
      const cause = refused(await askQvlClient({ ...before, url: pccs.url, now: scene.now() }), "after the revocation");
      expect(/revoked/i.test(`${cause}`), `the cause: ${cause}`);
      return `${cause}`;
    },
  },
  {
    name: "collateral: a service over a provisioning service on the wire, SGX and TDX: Fortanix's client and both dcap-qvl; then the PCK certificates revoked",
    deadline: 400_000,
    async run(scene) {
      const pcs = await startFakePcs(scene.now());
      try {
        return await overFakePcs(scene, pcs);
      } finally {
        await pcs.service.close();
      }
    },
  },
];

/** Its CAs have Intel's names, so these clients check all that they can. */
async function overFakePcs(scene: Scene, pcs: FakePcs): Promise<string> {
  const { pki, platform } = pcs;
  const pccs = scene.keep(await startPccs(scene.places, { upstream: pcs.service.base, upstreamRoot: pki.rootPem }));
  const tcb = tcbHex(platform.tcbs[0] ?? { components: new Uint8Array(16), pceSvn: 0 });
  const names = { qeId: platform.qeId, pceId: platform.pceId, encryptedPpid: platform.encryptedPpid, ...tcb };
  const common = { url: pccs.url, root: pki.rootPem };
  for (const version of VERSIONS) {
    const tdx = version === 4 ? { tdxFmspc: platform.fmspc } : {};
    const answer = got(await askPccsClient({ ...common, version, platform: names, fmspc: platform.fmspc, ...tdx }));
    expectEqual(answer.pckCrlsVerified, 2, "PCK CRLs that the client verified itself");
    expectEqual(answer.evaluations?.join(), "18,18", "TCB evaluations of what the client verified");
    if (version === 4) expect(answer.tdxTcbInfo?.includes('"id":"TDX"') === true, "no TCB info of TDX");
  }
  const standard = pki.addPlatform({ ca: "processor" });
  const quotes = {
    sgx: pcs.quote("sgx"),
    tdx: pcs.quote("tdx"),
    "sgx of the Processor CA": pcs.quote("sgx", standard),
  };
  const verdicts = async () => {
    const all: { who: string; verdict: Verdict }[] = [];
    for (const [what, quote] of Object.entries(quotes)) {
      const { ok, ...crate } = await askQvlClient({ ...common, quote, now: scene.now() });
      all.push({ who: `crate, ${what}`, verdict: { accepted: ok, ...crate } });
      all.push({ who: `npm, ${what}`, verdict: await npmVerdict(pccs.url, quote, pki.rootPem, scene) });
    }
    return all;
  };
  for (const { who, verdict } of await verdicts()) expectEqual(verdict.status ?? verdict.error, "UpToDate", who);
  pki.clock.advance(30_000);
  for (const { ca, certificates } of [platform, standard])
    pki.revoke(pemBlocks(certificates.certificates[0]?.certificate ?? "")[0] ?? "", ca);
  await refresh(pccs);
  const said: string[] = [];
  for (const { who, verdict } of await verdicts()) {
    // npm reads no issuer's name, not of Intel's certificates either, and asks for the Processor CA's CRL whoever issued.
    const blind = verdict.accepted && who.startsWith("npm") && !who.endsWith("Processor CA");
    expect(blind || /revoked/i.test(`${verdict.error}`), `${who}, after the revocation: ${verdict.error ?? "accepts"}`);
    said.push(`${who}: ${blind ? "accepts" : "revoked"}`);
  }
  return `Fortanix v4 (with TDX TCB info) and v3, every document verified by it; ${said.length} x UpToDate; then ${said.join("; ")}`;
}

/** openssl's word on the PCK CRLs, which Fortanix's crate verifies of CAs with Intel's names only. */
async function crlsHold(scene: Scene, base: string, { pckCrls = [] }: ClientAnswer): Promise<void> {
  expectEqual(pckCrls.length, 2, "number of PCK CRLs");
  for (const [index, ca] of (["processor", "platform"] as const).entries()) {
    const reply = await fetch(`${base}pckcrl?ca=${ca}&encoding=der`);
    const der = Buffer.from(await reply.arrayBuffer());
    expectEqual(pckCrls[index], der.toString("hex"), `the ${ca} CA's CRL, and what the service sent`);
    const [issuer = ""] = pemBlocks(decodeURIComponent(reply.headers.get("sgx-pck-crl-issuer-chain") ?? ""));
    expectEqual(await scene.openssl.refusesCrl(der, issuer), undefined, `openssl on the ${ca} CA's CRL`);
  }
}

/** The same for TCB info and QE identity: what the client got is what the service signed for, byte for byte. */
async function documentsHold(scene: Scene, url: string, version: 3 | 4, answer: ClientAnswer): Promise<void> {
  const documents = [
    [answer.tcbInfo, `tcb?fmspc=${SOFTWARE_FMSPC}&update=early`, version === 3 ? "sgx-tcb-info" : "tcb-info"],
    [answer.qeIdentity, "qe/identity?update=early", "sgx-enclave-identity"],
  ] as const;
  for (const [text = "", path, chainOf] of documents) {
    const reply = await fetch(`${url}/sgx/certification/v${version}/${path}`);
    const body = await reply.text();
    const signature = /"signature":"([0-9a-f]{128})"\}$/.exec(body)?.[1] ?? "";
    expect(body.includes(`:${text},"signature":`), `${path}: the client got ${text.slice(0, 80)}`);
    const [signer = ""] = pemBlocks(decodeURIComponent(reply.headers.get(`${chainOf}-issuer-chain`) ?? ""));
    const key = await scene.openssl.publicKey(signer);
    const holds = await scene.openssl.signatureHolds(key, Buffer.from(text), Buffer.from(signature, "hex"));
    expect(holds, `openssl refuses the signature of ${path}`);
  }
}

function got(answer: ClientAnswer): ClientAnswer {
  if (!answer.ok) throw new Error(`the client got: ${answer.error}`);
  return answer;
}

/** Throws if the client is content; what it said otherwise. */
function refused(answer: ClientAnswer, when: string): string | undefined {
  expect(!answer.ok, `the client is content ${when}`);
  return answer.error;
}

async function npmVerdict(url: string, quote: Uint8Array, rootPem: string, scene: Scene): Promise<Verdict> {
  const collateral = await getCollateral(url, quote);
  return verifyWithNpm({ quote, collateral: collateral as never, rootPem, now: scene.now() });
}
