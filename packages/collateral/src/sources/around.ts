import type { CollateralSource, CollateralUpstream } from "../source.ts";

/** Runs one request of a source in its own way: again, or not at all. */
export type Around = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export function isUpstream(source: CollateralSource): source is CollateralUpstream {
  return typeof (source as Partial<CollateralUpstream>).pckCertificates === "function";
}

/** A source whose every request goes through `run`; an upstream stays one. */
export function sourceAround<S extends CollateralSource>(source: S, run: Around): S;
export function sourceAround(source: CollateralSource, run: Around): CollateralSource {
  const wrapped: CollateralSource = {
    kind: source.kind,
    name: source.name,
    fetch: (request, options) => run(() => source.fetch(request, options), options.signal),
  };
  if (!isUpstream(source)) return wrapped;
  const upstream: CollateralUpstream = {
    ...wrapped,
    pckCertificates: (platform, pceId, options) =>
      run(() => source.pckCertificates(platform, pceId, options), options.signal),
  };
  return upstream;
}
