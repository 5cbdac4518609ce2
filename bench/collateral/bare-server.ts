import { readFileSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, request } from "node:http";

// The limit of the collateral service: node:http and a Map of finished answers. Takes its answers from the service itself,
// one for each request target of the files, and so warms the service's cache too.
//
//   bare-server.ts URL TARGETS...

interface Answer {
  readonly status: number;
  readonly head: readonly string[];
  readonly body: string;
}

/** Added by node:http to every answer, here as there. */
const OWN_HEADERS = new Set(["date", "connection", "keep-alive", "transfer-encoding"]);
/** Each from a network of its own, so that the rates of the service are no matter. */
const CONNECTIONS = 32;
const RETRY_MS = 1_000;

const answers = new Map<string, Answer>();
const texts = new Map<string, string>();

/** One text of each header value, however many answers have it: there are a few, of 4 kB. */
function shared(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (text.length > 512) texts.set(text, text);
  return text;
}

function fetchAnswer(base: URL, target: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: base.hostname, port: base.port, path: target, agent },
      (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const raw = response.rawHeaders;
          const head: string[] = [];
          for (let i = 0; i < raw.length; i += 2) {
            const name = raw[i] ?? "";
            if (!OWN_HEADERS.has(name.toLowerCase())) head.push(shared(name), shared(raw[i + 1] ?? ""));
          }
          resolve({ status: response.statusCode ?? 0, head, body: Buffer.concat(chunks).toString("latin1") });
        });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

async function fetchAll(base: URL, targets: readonly string[]): Promise<void> {
  let next = 0;
  const work = async (number: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: `127.2.${number}.1` });
    for (let target = targets[next++]; target !== undefined; target = targets[next++]) {
      let answer = await fetchAnswer(base, target, agent);
      while (answer.status === 503) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        answer = await fetchAnswer(base, target, agent);
      }
      if (answer.status !== 200) throw new Error(`the service answered ${answer.status} to ${target.slice(0, 80)}`);
      answers.set(target, answer);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => work(number)));
}

const [url = "", ...files] = process.argv.slice(2);
const targets = files.flatMap((file) => readFileSync(file, "utf8").split("\n")).filter((line) => line !== "");
await fetchAll(new URL(url), [...new Set(targets)]);

const server = createServer({ noDelay: true }, (asked, response) => {
  const answer = answers.get(asked.url ?? "");
  if (answer === undefined) {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(answer.status, answer.head as string[]);
  response.end(answer.body, "latin1");
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`ready ${typeof address === "object" && address !== null ? address.port : 0}\n`);
});
