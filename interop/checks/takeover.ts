import { setTimeout as sleep } from "node:timers/promises";
import { type Check, expect, expectEqual } from "../check.ts";
import { FortanixClient } from "../foreign-peers.ts";
import { getQuote, getQuoteSize, initQuote, type Scene } from "../scene.ts";

const TAKEOVERS = 5;
const LANES = 4;

export const takeover: readonly Check<Scene>[] = [
  {
    name: "takeover under load: a new daemon takes the socket over, no request fails",
    deadline: 360_000,
    async run(scene) {
      const { report } = await scene.subject();
      const options = scene.places.fresh();
      let helper = await scene.start(options);
      const { pubKeyId } = await initQuote(helper.socket);
      let ended = false;
      let requests = 0;
      const failures: string[] = [];
      const keepAsking = async (round: () => Promise<number>): Promise<void> => {
        while (!ended) {
          try {
            requests += await round();
          } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
            await sleep(10);
          }
        }
      };
      const frames = async (): Promise<number> => {
        expectEqual((await initQuote(options.socket)).pubKeyId, pubKeyId, "pub_key_id");
        await getQuote(options.socket, report, await getQuoteSize(options.socket));
        return 4;
      };
      const client = await FortanixClient.connect(options.socket);
      const fortanix = async (): Promise<number> => {
        await client.expect({ do: "init" });
        const nonce = "00".repeat(16);
        await client.expect({ do: "quote", report: Buffer.from(report).toString("hex"), nonce });
        return 8;
      };
      const load = [...Array.from({ length: LANES }, () => keepAsking(frames)), keepAsking(fortanix)];
      try {
        for (let round = 0; round < TAKEOVERS; round++) {
          await sleep(150);
          const next = await scene.start({ ...options, takeover: true });
          await helper.left("after it was taken over");
          helper = next;
        }
        await sleep(150);
      } finally {
        ended = true;
        await Promise.all(load);
        client.close();
      }
      expect(failures.length === 0, `${failures.length} of ${requests} requests failed, the first: ${failures[0]}`);
      expect(requests > 100 * TAKEOVERS, `only ${requests} requests: too little load to show anything`);
      await helper.stop();
      return `${TAKEOVERS} takeovers, ${requests} requests of captured frames and Fortanix's client, 0 failed; each old one left with 0`;
    },
  },
];
