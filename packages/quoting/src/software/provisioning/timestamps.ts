/** The moment with its milliseconds dropped: certificates, CRLs and collateral JSON count in seconds. */
export function wholeSecond(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / 1000) * 1000);
}

/** ISO-8601 with seconds and `Z`, as collateral JSON writes it (spec: DCAP §9). */
export function isoSeconds(moment: Date): string {
  return wholeSecond(moment).toISOString().replace(".000Z", "Z");
}

export function yearsAfter(moment: Date, years: number): Date {
  const later = new Date(moment);
  later.setUTCFullYear(later.getUTCFullYear() + years);
  return later;
}

export function earlier(a: Date, b: Date): Date {
  return a.getTime() <= b.getTime() ? a : b;
}
