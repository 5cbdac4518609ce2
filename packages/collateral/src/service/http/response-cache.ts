import { type CollateralRequest, requestKey } from "../../request.ts";
import type { PlatformKey, StoreChange } from "../../store/store.ts";
import type { EndpointFigures } from "./figures.ts";
import type { PreparedResponse } from "./response.ts";

/** A built response and what it was made from. It is entered before the service is asked, so that no change is missed. */
export interface CacheEntry {
  /** {@link requestKey} and the form: one response each. Safe inside a JSON text. */
  readonly representation: string;
  readonly tags: readonly string[];
  readonly figures: EndpointFigures;
  readonly path: string;
  /** URLs that lead here, without the encrypted PPID. */
  urls: readonly string[];
  /** Undefined while the service is asked. */
  response: PreparedResponse | undefined;
  /** Of a PCK certificate: what a change of the CA's chain is compared with. */
  issuerChain: string | undefined;
  until: number;
  size: number;
  used: boolean;
  forgotten: boolean;
}

/** URLs of one response that are remembered: nobody fills the cache with parameters that nobody asks for. */
const MAX_URLS = 4;
/** Of an entry, beside its texts. */
const ENTRY_OVERHEAD = 900;
const PPID = "encrypted_ppid=";
const PPID_LENGTH = 768;

/**
 * Built responses by URL: the hot path is one look-up. Bounded in bytes; what was used since the hand came by stays (second
 * chance). Entries go when the store says that what they were made from has changed, and at their `until`.
 */
export class ResponseCache {
  readonly #maxBytes: number;
  readonly #byUrl = new Map<string, CacheEntry>();
  readonly #byRepresentation = new Map<string, CacheEntry>();
  /** Entries and those under way, by what they are made from. */
  readonly #byTag = new Map<string, CacheEntry[]>();
  readonly #chains = new Map<string, string>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#byRepresentation.size;
  }

  /** The response of a URL that was asked before, while it holds. */
  byUrl(url: string, now: number): CacheEntry | undefined {
    const entry = this.#byUrl.get(withoutPpid(url));
    return entry === undefined ? undefined : this.#valid(entry, now);
  }

  /** The response of another URL that means the same; `url` leads to it from now on. */
  byRepresentation(representation: string, url: string, now: number): CacheEntry | undefined {
    const found = this.#byRepresentation.get(representation);
    const entry = found === undefined ? undefined : this.#valid(found, now);
    if (entry !== undefined) this.#lead(entry, url);
    return entry;
  }

  /** Before the service is asked. To be given to {@link keep} or {@link abandon}. */
  begin(request: CollateralRequest, representation: string, path: string, figures: EndpointFigures): CacheEntry {
    const entry: CacheEntry = {
      representation,
      tags: tagsOf(request),
      figures,
      path: ownText(path),
      urls: [],
      response: undefined,
      issuerChain: undefined,
      until: 0,
      size: 0,
      used: false,
      forgotten: false,
    };
    for (const tag of entry.tags) {
      const siblings = this.#byTag.get(tag);
      if (siblings === undefined) this.#byTag.set(tag, [entry]);
      else siblings.push(entry);
    }
    return entry;
  }

  /** Keeps a response until `until`, unless what it was made from has changed meanwhile. */
  keep(entry: CacheEntry, response: PreparedResponse, url: string, until: number, issuerChain?: string): void {
    entry.response = response;
    const size = ENTRY_OVERHEAD + response.length + entry.representation.length + entry.path.length;
    if (entry.forgotten || size > this.#maxBytes / 8) {
      this.abandon(entry);
      return;
    }
    const before = this.#byRepresentation.get(entry.representation);
    if (before !== undefined) this.#remove(before);
    entry.until = until;
    entry.issuerChain = issuerChain;
    entry.size = size;
    this.#bytes += size;
    this.#byRepresentation.set(entry.representation, entry);
    this.#lead(entry, url);
    this.#shrink();
  }

  abandon(entry: CacheEntry): void {
    entry.forgotten = true;
    this.#untag(entry);
  }

  /** What the store reports: everything goes where it does not say what changed. */
  forget(changes: readonly StoreChange[] | undefined): void {
    if (changes === undefined) {
      for (const entries of this.#byTag.values()) for (const entry of entries) entry.forgotten = true;
      this.#byTag.clear();
      this.#byUrl.clear();
      this.#byRepresentation.clear();
      this.#chains.clear();
      this.#bytes = 0;
      return;
    }
    for (const change of changes) this.#forgetChange(change);
  }

  #forgetChange(change: StoreChange): void {
    if ("drop" in change) {
      this.#forgetTag(platformTag(change.key));
      return;
    }
    switch (change.put) {
      case "registration":
      case "policy":
        return;
      case "pck-chain":
        this.#forgetChain(change.ca, change.issuerChain);
        return;
      default:
        this.#forgetTag(tagOfChange(change));
    }
  }

  #forgetTag(tag: string): void {
    const entries = this.#byTag.get(tag);
    if (entries === undefined) return;
    for (const entry of [...entries]) this.#remove(entry);
  }

  /** A chain is written again with every refresh and import, and hardly ever another one. */
  #forgetChain(ca: string, issuerChain: string): void {
    if (this.#chains.get(ca) === issuerChain) return;
    this.#chains.set(ca, issuerChain);
    for (const entries of [...this.#byTag.values()]) {
      for (const entry of [...entries]) {
        const certificate = entry.tags[0]?.startsWith("platform/") === true;
        if (certificate && entry.issuerChain !== issuerChain) this.#remove(entry);
      }
    }
  }

  #valid(entry: CacheEntry, now: number): CacheEntry | undefined {
    if (now < entry.until) {
      entry.used = true;
      return entry;
    }
    this.#remove(entry);
    return undefined;
  }

  #lead(entry: CacheEntry, url: string): void {
    const key = ownText(withoutPpid(url));
    if (entry.urls.length >= MAX_URLS || this.#byUrl.has(key)) return;
    this.#byUrl.set(key, entry);
    // Not pushed: an array that has grown has room for sixteen more.
    entry.urls = entry.urls.concat(key);
    entry.size += key.length;
    this.#bytes += key.length;
  }

  #shrink(): void {
    for (const [representation, entry] of this.#byRepresentation) {
      if (this.#bytes <= this.#maxBytes) return;
      if (!entry.used) {
        this.#remove(entry);
        continue;
      }
      entry.used = false;
      this.#byRepresentation.delete(representation);
      this.#byRepresentation.set(representation, entry);
    }
  }

  #remove(entry: CacheEntry): void {
    entry.forgotten = true;
    this.#untag(entry);
    if (this.#byRepresentation.get(entry.representation) !== entry) return;
    this.#byRepresentation.delete(entry.representation);
    for (const url of entry.urls) this.#byUrl.delete(url);
    this.#bytes -= entry.size;
  }

  #untag(entry: CacheEntry): void {
    for (const tag of entry.tags) {
      const siblings = this.#byTag.get(tag);
      const at = siblings?.indexOf(entry) ?? -1;
      if (siblings === undefined || at < 0) continue;
      if (siblings.length === 1) this.#byTag.delete(tag);
      else siblings.splice(at, 1);
    }
  }
}

/** A piece of a URL keeps all of the URL in memory, encrypted PPID and all; a copy does not. URLs are Latin-1. */
function ownText(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** The answer does not depend on the encrypted PPID: what is left names it, where the PPID has its length. */
function withoutPpid(url: string): string {
  const at = url.indexOf(PPID);
  if (at < 1) return url;
  const end = at + PPID.length + PPID_LENGTH;
  const before = url.charCodeAt(at - 1);
  if ((before !== 0x26 && before !== 0x3f) || (end !== url.length && url.charCodeAt(end) !== 0x26)) return url;
  // A value with an & or % in it is none of these; it is parsed, and refused.
  const next = url.indexOf("&", at);
  if (next >= 0 && next < end) return url;
  return url.slice(0, at) + url.slice(end);
}

const platformTag = (key: PlatformKey) => `platform/${key.qeId}/${key.pceId}`;

function tagsOf(request: CollateralRequest): string[] {
  if (request.kind === "pck-certificate") return [platformTag(request)];
  // For az-dcap-client the root's CRL carries a chain that is taken from a PCK CRL's.
  if (request.kind === "root-ca-crl") return ["root-ca-crl", "pck-crl/processor", "pck-crl/platform"];
  return [requestKey(request)];
}

function tagOfChange(change: Exclude<StoreChange, { readonly drop: string }>): string {
  switch (change.put) {
    case "platform":
      return platformTag(change.platform);
    case "platform-tcb":
    case "pck-certificate":
      return platformTag(change.key);
    case "pck-crl":
      return `pck-crl/${change.ca}`;
    case "crl":
      return requestKey({ kind: "crl", url: change.url });
    case "tcb-info":
      return requestKey({ kind: "tcb-info", ...change.key });
    case "identity":
      return requestKey({ kind: "identity", ...change.key });
    default:
      return change.put;
  }
}
