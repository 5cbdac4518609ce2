import { AesmClient, DEFAULT_SOCKET_PATH } from "@confcom/aesm";
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
      try {
        const client = new AesmClient({ socketPath: options.socket, timeoutMs, connectAttempts: 1 });
        const { targetInfo, pubKeyId } = await client.initQuote();
        const milliseconds = Math.round((performance.now() - started) * 100) / 100;
        if (options.json) output.json({ ready: true, socket: options.socket, pubKeyId, targetInfo, milliseconds });
        else output.line(`ready: ${options.socket} answered in ${milliseconds} ms, attestation key ${toHex(pubKeyId)}`);
      } catch (error) {
        const failure = await describeFailure(error);
        if (options.json) output.json({ ready: false, socket: options.socket, error: failure });
        else for (const line of failureLines(failure, output.style)) output.note(line);
        process.exitCode = ExitCode.NEGATIVE;
      }
    });
}
