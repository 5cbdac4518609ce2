import { once } from "node:events";
import { runOrThrow, start } from "../program.ts";

const WAY_OUT = "apt-get install --no-install-recommends chromium";

/** One page, no network of its own: what Chromium would otherwise look up, update or report. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** The browser's own version line. Throws if it is not installed. */
export async function chromiumVersion(): Promise<string> {
  return (await runOrThrow("chromium", ["--version"], { wayOut: WAY_OUT })).toString("utf8").trim();
}

/** Opens a page in a fresh, headless Chromium while `work` runs; throws what Chromium said if it ends first. */
export async function withPage<T>(url: string, profile: string, work: Promise<T>): Promise<T> {
  const browser = start("chromium", [...FLAGS, `--user-data-dir=${profile}`, url]);
  let said = "";
  browser.stderr?.on("data", (text: Buffer) => {
    said = (said + text.toString("utf8")).slice(-2000);
  });
  browser.stdout?.resume();
  const ended = once(browser, "exit");
  try {
    return await Promise.race([
      work,
      ended.then(() => Promise.reject(new Error(`chromium ended before the page reported: ${said.slice(-400)}`))),
    ]);
  } finally {
    browser.kill("SIGTERM");
    await ended.catch(() => undefined);
  }
}
