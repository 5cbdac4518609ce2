import type { Socket } from "node:net";
import { addressPrefix } from "./address-prefix.ts";
import type { HttpLimits } from "./limits.ts";

/** What one address prefix may still do. */
export interface Peer {
  readonly prefix: string;
  requests: number;
  misses: number;
  /** Below 0 after many at once: what was under way is charged when it ends. */
  unanswered: number;
  wrongTokens: number;
  /** When the four were last filled up. */
  at: number;
}

/** Rates by address prefix, in bounded memory: the prefix that came first is forgotten for a new one. */
export class Peers {
  readonly #limits: HttpLimits;
  readonly #byPrefix = new Map<string, Peer>();
  /** What a connection's peer is, found once. */
  readonly #bySocket = new WeakMap<Socket, Peer>();

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byPrefix.size;
  }

  of(socket: Socket, now: number): Peer {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const peer = this.#ofPrefix(addressPrefix(socket.remoteAddress ?? ""), now);
    this.#bySocket.set(socket, peer);
    return peer;
  }

  /** Takes one request from the prefix's share; false: it is used up. */
  takeRequest(peer: Peer, now: number): boolean {
    this.#fill(peer, now);
    if (peer.requests < 1) return false;
    peer.requests--;
    return true;
  }

  takeMiss(peer: Peer, now: number): boolean {
    this.#fill(peer, now);
    if (peer.misses < 1) return false;
    peer.misses--;
    return true;
  }

  /** Whether the upstream may be asked on the prefix's behalf for something unknown. */
  mayAsk(peer: Peer, now: number): boolean {
    this.#fill(peer, now);
    return peer.unanswered >= 1;
  }

  /** The upstream was asked on the prefix's behalf, and there is no such thing. */
  unanswered(peer: Peer, now: number): void {
    this.#fill(peer, now);
    peer.unanswered = Math.max(peer.unanswered - 1, -this.#limits.unansweredBurst);
  }

  /** Takes one wrong token from the prefix's share; false: it is used up. */
  takeWrongToken(peer: Peer, now: number): boolean {
    this.#fill(peer, now);
    if (peer.wrongTokens < 1) return false;
    peer.wrongTokens--;
    return true;
  }

  #fill(peer: Peer, now: number): void {
    const elapsed = now - peer.at;
    if (elapsed === 0) return;
    peer.at = now;
    // The clock was set back.
    if (elapsed < 0) return;
    const { requestRate, requestBurst, missRate, missBurst, unansweredRate, unansweredBurst, wrongTokens } =
      this.#limits;
    peer.requests = Math.min(requestBurst, peer.requests + (elapsed * requestRate) / 1000);
    peer.misses = Math.min(missBurst, peer.misses + (elapsed * missRate) / 1000);
    peer.unanswered = Math.min(unansweredBurst, peer.unanswered + (elapsed * unansweredRate) / 1000);
    peer.wrongTokens = Math.min(wrongTokens, peer.wrongTokens + (elapsed * wrongTokens) / 60_000);
  }

  #ofPrefix(prefix: string, now: number): Peer {
    const known = this.#byPrefix.get(prefix);
    if (known !== undefined) return known;
    const {
      requestBurst: requests,
      missBurst: misses,
      unansweredBurst: unanswered,
      wrongTokens,
      maxPrefixes,
    } = this.#limits;
    const peer: Peer = { prefix, requests, misses, unanswered, wrongTokens, at: now };
    if (this.#byPrefix.size >= maxPrefixes) {
      const oldest = this.#byPrefix.keys().next();
      if (oldest.done !== true) this.#byPrefix.delete(oldest.value);
    }
    this.#byPrefix.set(prefix, peer);
    return peer;
  }
}
