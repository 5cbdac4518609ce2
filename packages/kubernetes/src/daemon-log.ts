/** Where a daemon's library code writes its log: pino's shape, without pino. */
export interface DaemonLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
