/** What a check shows when it holds: one short line of evidence for the report. */
export type Evidence = string;

export interface Check<Scene> {
  readonly name: string;
  /** Milliseconds after which the check counts as failed; a peer that hangs must not hang the run. */
  readonly deadline: number;
  /** Throws, with a message that says what was expected and what came, when the fact does not hold. */
  run(scene: Scene): Promise<Evidence>;
}

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** The evidence, or the reason it failed. */
  readonly detail: string;
}

/** Runs the checks one after the other and reports each as soon as it is known, before the next begins. */
export async function runChecks<Scene>(
  checks: readonly Check<Scene>[],
  scene: Scene,
  clock: () => number,
  onResult: (result: CheckResult) => void | Promise<void>,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const started = clock();
    let passed = true;
    let detail: string;
    try {
      detail = await withDeadline(check.run(scene), check.deadline);
    } catch (error) {
      passed = false;
      detail = error instanceof Error ? error.message : String(error);
    }
    const result = { name: check.name, passed, seconds: (clock() - started) / 1000, detail };
    results.push(result);
    await onResult(result);
  }
  return results;
}

async function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws unless the two are the same; `what` begins the message. */
export function expectEqual<T extends string | number | boolean | null | undefined>(
  actual: T,
  expected: T,
  what: string,
): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
}

/** Throws `message` unless the condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
