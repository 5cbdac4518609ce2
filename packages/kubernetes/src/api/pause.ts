/** Times in ms. */
export interface PauseTimes {
  /** After a round that went well. */
  readonly regular: number;
  readonly firstRetry: number;
  readonly longestRetry: number;
}

/**
 * How long a daemon leaves the API server alone after so many failures in a row, ms: doubled with each, and varied by a
 * quarter either way, so that daemons that began together do not go on together. `random` answers 0 to 1.
 */
export function pause(failures: number, times: PauseTimes, random: () => number): number {
  const { regular, firstRetry, longestRetry } = times;
  const whole = failures === 0 ? regular : Math.min(firstRetry * 2 ** (failures - 1), longestRetry);
  return whole * (0.75 + random() / 2);
}
