/** One body's part of the room. */
export interface Holding {
  /** From now on it holds so many bytes. False where it was this one that had to go. */
  grow(bytes: number): boolean;
  /** Gives all of it back. */
  leave(): void;
}

interface Body {
  bytes: number;
  readonly giveUp: () => void;
}

/**
 * Bounds what request bodies hold together, counted as they come: what is only announced takes no room, and nobody waits
 * for it. Where it is too much, the largest body of the sender who holds the most is given up: whoever fills the room
 * does so at his own expense, and the API server, which comes from another address, is still read.
 */
export class BodyRoom {
  readonly #limit: number;
  readonly #senders = new Map<string, Set<Body>>();
  #held = 0;

  /** `limit`: bytes of all bodies. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** A new body, which holds nothing yet. `giveUp` is called at most once, when it has to go. */
  enter(sender: string, giveUp: () => void): Holding {
    const body: Body = { bytes: 0, giveUp };
    this.#senders.set(sender, (this.#senders.get(sender) ?? new Set()).add(body));
    const inside = (): boolean => this.#senders.get(sender)?.has(body) === true;
    return {
      grow: (bytes) => {
        if (!inside()) return false;
        this.#held += bytes - body.bytes;
        body.bytes = bytes;
        while (this.#held > this.#limit) this.#giveOneUp();
        return inside();
      },
      leave: () => this.#remove(sender, body),
    };
  }

  #giveOneUp(): void {
    let most: { sender: string; bodies: Set<Body>; bytes: number } | undefined;
    for (const [sender, bodies] of this.#senders) {
      let bytes = 0;
      for (const body of bodies) bytes += body.bytes;
      if (most === undefined || bytes > most.bytes) most = { sender, bodies, bytes };
    }
    let largest: Body | undefined;
    for (const body of most?.bodies ?? []) if (largest === undefined || body.bytes > largest.bytes) largest = body;
    if (most === undefined || largest === undefined) return;
    this.#remove(most.sender, largest);
    largest.giveUp();
  }

  #remove(sender: string, body: Body): void {
    const bodies = this.#senders.get(sender);
    if (bodies?.delete(body) !== true) return;
    this.#held -= body.bytes;
    if (bodies.size === 0) this.#senders.delete(sender);
  }
}
