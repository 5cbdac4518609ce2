import { AesmClient, AesmError, DEFAULT_SOCKET_PATH } from "@confcom/aesm";
import { toHex } from "@confcom/sgx";
import type { Command } from "commander";
import { ExitCode } from "../exit-code.ts";
import { describeFailure, failureLines } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger } from "../usage-error.ts";

/** `confcom probe`: ready means that a real init_quote_ex succeeds, as an application would make it. */
export function register(program: Command, output: Output): void {
  program
    .command("probe")
    .description("ask a quote helper for its attestation key (readiness check); exit status 0 ready, 1 not")
    .option("--socket <path>", "the AESM socket", DEFAULT_SOCKET_PATH)
    .option("--timeout <ms>", "how long to wait", "5000")
    .option("--json", "print the answer as JSON")
    .action(async (options: { socket: string; timeout: string; json?: boolean }) => {
      const timeoutMs = parseInteger(options.timeout, "--timeout", 1, 600_000);
      const started = performance.now();
      const client = new AesmClient({ socketPath: options.socket, timeoutMs, connectAttempts: 1 });
      try {
        const { targetInfo, pubKeyId } = await client.initQuote();
        const milliseconds = Math.round((performance.now() - started) * 100) / 100;
        printReady(
          { ready: true, socket: options.socket, pubKeyId, targetInfo, milliseconds },
          options.json === true,
          output,
        );
      } catch (error) {
        if (!(error instanceof AesmError)) throw error;
        process.exitCode = ExitCode.NEGATIVE;
        const failure = await describeFailure(error);
        if (options.json) output.json({ ready: false, socket: options.socket, error: failure });
        else for (const line of failureLines(failure, output.style)) output.note(line);
      }
    });
}

interface Ready {
  readonly ready: true;
  readonly socket: string;
  readonly pubKeyId: Uint8Array;
  readonly targetInfo: Uint8Array;
  readonly milliseconds: number;
}

function printReady(answer: Ready, json: boolean, output: Output): void {
  if (json) output.json(answer);
  else {
    const { socket, milliseconds, pubKeyId } = answer;
    output.line(`ready: ${socket} answered in ${milliseconds} ms, attestation key ${toHex(pubKeyId)}`);
  }
}
