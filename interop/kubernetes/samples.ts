import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const SAMPLES = fileURLToPath(new URL("../../samples/", import.meta.url));

interface SampleObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects of one of the samples' files, as a reader of the samples would apply them. */
export async function sample(path: string): Promise<readonly SampleObject[]> {
  const text = await readFile(`${SAMPLES}${path}`, "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as SampleObject);
}

interface JobObject extends SampleObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { name: string }[] } } };
}

/**
 * The sample's Job as it is, but on a given node and under another name, so that checks need not wait for each other;
 * `container` is laid over its one container.
 */
export async function sampleJob(
  path: string,
  options: { name: string; namespace: string; node?: string; container?: object; volumes?: readonly object[] },
): Promise<object> {
  const job = (await sample(path)).find(({ kind }) => kind === "Job") as JobObject | undefined;
  if (job === undefined) throw new Error(`${path} has no Job`);
  const { spec } = job.spec.template;
  const nodeSelector = options.node === undefined ? {} : { "kubernetes.io/hostname": options.node };
  return {
    ...job,
    metadata: { ...job.metadata, name: options.name, namespace: options.namespace },
    spec: {
      ...job.spec,
      template: {
        ...job.spec.template,
        spec: {
          ...spec,
          nodeSelector,
          containers: spec.containers.map((container) => ({ ...container, ...options.container })),
          ...(options.volumes === undefined ? {} : { volumes: options.volumes }),
        },
      },
    },
  };
}
