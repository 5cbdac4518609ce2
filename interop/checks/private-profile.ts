import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Check, expect, expectEqual } from "../check.ts";
import { startQuoteHelper } from "../confcom.ts";
import { getQuoteSize, initQuote, type Scene } from "../scene.ts";

const RESTARTS = 3;
const KILLS_UNDER_LOAD = 6;
const KILLED_FIRST_STARTS = 12;

export const privateProfile: readonly Check<Scene>[] = [
  {
    name: "private profile: the same pub_key_id across restarts and kill -9 under load",
    deadline: 360_000,
    async run(scene) {
      const options = { ...scene.places.fresh(), cpu: "private" as const };
      let helper = await scene.start(options);
      const { pubKeyId } = await initQuote(helper.socket);
      for (let restart = 0; restart < RESTARTS; restart++) {
        await helper.stop();
        helper = await scene.start(options);
        await getQuoteSize(helper.socket); // An existing key needs no init after a restart.
        expectEqual((await initQuote(helper.socket)).pubKeyId, pubKeyId, `pub_key_id after restart ${restart + 1}`);
      }
      for (let crash = 0; crash < KILLS_UNDER_LOAD; crash++) {
        const socket = helper.socket;
        // Callers that lose their connection to the kill are the point, not a failure.
        const load = Array.from({ length: 8 }, () => initQuote(socket).catch(() => undefined));
        await sleep(randomInt(0, 20));
        await helper.kill();
        await Promise.all(load);
        helper = await scene.start(options);
        expectEqual(
          (await initQuote(helper.socket)).pubKeyId,
          pubKeyId,
          `pub_key_id after kill -9 number ${crash + 1}`,
        );
      }
      await helper.stop();
      const other = await scene.startFresh({ cpu: "private" });
      const { pubKeyId: otherId } = await initQuote(other.socket);
      expect(otherId !== pubKeyId, "two private platforms have the same attestation key");
      await other.stop();
      return `${RESTARTS} restarts, ${KILLS_UNDER_LOAD} kills: ${pubKeyId.slice(0, 16)}...; another platform has another key`;
    },
  },
  {
    name: "private profile: kill -9 during the first start and first init; a key handed out stays",
    deadline: 480_000,
    async run(scene) {
      let handedOut = 0;
      for (let attempt = 0; attempt < KILLED_FIRST_STARTS; attempt++) {
        const options = { ...scene.places.fresh(), cpu: "private" as const };
        let id: string | undefined;
        if (attempt % 2 === 0) {
          // Somewhere between the start of the process and shortly after its ready line.
          const starting = startQuoteHelper(options, async (process) => {
            await sleep(randomInt(20, 1200));
            process.kill("SIGKILL");
          });
          const helper = await starting.catch(() => undefined);
          id = await (helper === undefined
            ? undefined
            : initQuote(helper.socket).then(
                (answer) => answer.pubKeyId,
                () => undefined,
              ));
          await helper?.kill();
        } else {
          // Somewhere around the creation of the attestation key.
          const helper = await startQuoteHelper(options);
          const first = initQuote(helper.socket).then(
            (answer) => answer.pubKeyId,
            () => undefined,
          );
          await sleep(randomInt(0, 200));
          await helper.kill();
          id = await first;
        }
        const restarted = await scene.start(options);
        const { pubKeyId } = await initQuote(restarted.socket);
        if (id !== undefined) {
          handedOut++;
          expectEqual(pubKeyId, id, `attempt ${attempt + 1}: pub_key_id after the crash`);
        }
        await restarted.stop();
      }
      return `${KILLED_FIRST_STARTS} crashes, every restart works; ${handedOut} keys were handed out before and stayed`;
    },
  },
];
