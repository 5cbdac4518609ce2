/**
 * No deadlock between replicas: a transaction first takes the locks of everything it writes, always in ascending order, and
 * whatever rows it touches then nobody else does. Advisory locks end with their transaction; a fixed number of them, since the
 * server has room for a few thousand in all. Other applications in the same database are told apart by the class.
 */
export const WRITE_LOCK_CLASS = 0x63_66_63_01;
export const MIGRATION_LOCK_CLASS = 0x63_66_63_02;
const LOCKS = 64;

/** Which locks a batch needs, ascending. */
export function writeLocks(keys: readonly string[]): number[] {
  const locks = new Set<number>();
  for (const key of keys) {
    locks.add(hash(key) % LOCKS);
    if (locks.size === LOCKS) break;
  }
  return [...locks].sort((a, b) => a - b);
}

/** FNV-1a over UTF-16 units: the same in every replica. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
