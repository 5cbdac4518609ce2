import { QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";

/** Takes the quote helper's DaemonSet away; `body` calls `bring` to apply it again, which happens in any case. */
export async function withoutHelper<T>(
  scene: ClusterScene,
  body: (bring: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${QUOTE_HELPER_NAME}`;
  await scene.api.delete(`${path}?propagationPolicy=Foreground`);
  await until("the quote helper is gone", 30_000, async () => {
    expectEqual((await scene.api.pods(`app=${QUOTE_HELPER_NAME}`, NAMESPACE)).length, 0, "its pods");
  });
  let brought: Promise<void> | undefined;
  const bring = () => {
    brought ??= scene.applyManifests("quote-helper");
    return brought;
  };
  try {
    return await body(bring);
  } finally {
    await bring();
    await scene.rolledOut(QUOTE_HELPER_NAME, 60_000);
  }
}
