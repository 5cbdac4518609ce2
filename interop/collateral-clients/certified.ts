import { createReport, type QuoteHelper } from "../confcom.ts";
import { type Pccs, type PccsOptions, startPccs } from "../pccs.ts";
import { readQuote } from "../quote-parts.ts";
import { getQuote, getQuoteSize, initQuote, type Scene } from "../scene.ts";

/** How requests for PCK certificates name a platform. Hexadecimal of bytes; SVN and PCE id in little-endian order. */
export interface PlatformNames {
  readonly qeId: string;
  readonly pceId: string;
  readonly cpuSvn: string;
  readonly pceSvn: string;
  readonly encryptedPpid: string;
}

/** A PCCS over the software platform's authority, a quote helper that registered there, and its quote. */
export interface Certified {
  readonly pccs: Pccs;
  readonly helper: QuoteHelper;
  readonly quote: Buffer;
  readonly platform: PlatformNames;
  /** The quote's own PCK certificate, PEM. */
  readonly pckCertificate: string;
}

export const SOFTWARE_FMSPC = "C0FC0A000000";

const shared = new WeakMap<Scene, Promise<Certified>>();

/** The one that every check may use and none may stop or change. */
export function certified(scene: Scene): Promise<Certified> {
  let made = shared.get(scene);
  made ??= makeCertified(scene, {});
  shared.set(scene, made);
  return made;
}

export async function makeCertified(scene: Scene, options: PccsOptions): Promise<Certified> {
  const pccs = scene.keep(await startPccs(scene.places, options));
  const helper = await scene.startFresh({ certifiedBy: pccs.certifying(scene.places) });
  const { targetInfo } = await initQuote(helper.socket);
  const report = await createReport({ targetInfo, reportData: Buffer.alloc(64, 0x77) });
  const quote = Buffer.from(await getQuote(helper.socket, report, await getQuoteSize(helper.socket)));
  const [pckCertificate] = readQuote(quote).chain;
  if (pckCertificate === undefined) throw new Error("the quote has no PCK certificate");
  return { pccs, helper, quote, platform: platformOf(quote), pckCertificate };
}

/**
 * A retrieval tool reads these from the platform itself: the QE's id is in the quote's user data, its CPUSVN in the QE
 * report, the PCE's SVN in the header. Nobody has the key for the software platform's encrypted PPID, so any will do.
 */
function platformOf(quote: Buffer): PlatformNames {
  return {
    qeId: quote.toString("hex", 28, 44),
    pceId: "0000",
    cpuSvn: readQuote(quote).qeReport.toString("hex", 0, 16),
    pceSvn: quote.toString("hex", 10, 12),
    encryptedPpid: "c5".repeat(384),
  };
}
