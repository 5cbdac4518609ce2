import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/**
 * A `go` for tests, a shell script: `go build` writes a line to `builds`, prints two package names, waits for the file `go-on`
 * to exist if `slow` is set, and leaves one script per program that says the version it was linked with.
 */
export interface StandInGo {
  readonly cacheDirectory: string;
  readonly moduleDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  /** One line per `go build` that began. */
  readonly builds: string;
  /** A slow build ends when this file exists. */
  readonly goOn: string;
}

export interface StandInBehaviour {
  readonly installed?: string;
  /** What `go env GOVERSION` prints; "unreachable" makes it fail as Go does without a network. */
  readonly switchesTo?: string;
  readonly slow?: boolean;
  readonly fails?: boolean;
  /** What every program says it is, whatever was asked for. */
  readonly saysVersion?: string;
}

const GO_MOD = `module m
go 1.24.0
tool k8s.io/kubernetes/cmd/kubelet
tool go.etcd.io/etcd/server/v3
require k8s.io/kubernetes v1.34.4
require go.etcd.io/etcd/server/v3 v3.6.8
require helm.sh/helm/v3 v3.19.5
`;

export async function standInGo(test: TestContext, behaviour: StandInBehaviour = {}): Promise<StandInGo> {
  const root = await mkdtemp(join(tmpdir(), "confcom-stand-in-go-"));
  test.after(() => rm(root, { recursive: true, force: true }));
  const [path, moduleDirectory] = [join(root, "path"), join(root, "module")];
  const [builds, goOn] = [join(root, "builds"), join(root, "go-on")];
  for (const directory of [path, moduleDirectory]) await mkdir(directory);
  await writeFile(join(moduleDirectory, "go.mod"), GO_MOD);
  await writeFile(join(moduleDirectory, "go.sum"), "");
  const { installed = "1.26.0", switchesTo = `go${installed}`, slow, fails, saysVersion } = behaviour;
  const script = `#!/bin/sh
case "$1" in
version) echo "go version go${installed} linux/amd64" ;;
env) ${switchesTo === "unreachable" ? 'echo "go: download go1.24.13: no route to host" >&2; exit 1' : `echo "${switchesTo}"`} ;;
build)
  echo "$GOFLAGS $CGO_ENABLED" >> "${builds}"
  echo "go: downloading a.b/c v1.0.0" >&2
  echo "internal/goarch" >&2
  echo "k8s.io/kubernetes/cmd/kubelet" >&2
  ${slow ? `while [ ! -e "${goOn}" ]; do sleep 0.02; done` : ""}
  ${fails ? 'echo "a/b.go:1:2: undefined: thing" >&2; exit 1' : ""}
  while [ "$1" != -o ]; do shift; done
  printf '#!/bin/sh\\necho Kubernetes ${saysVersion ?? "v1.34.4"}\\n' > "$2/kubelet"
  printf '#!/bin/sh\\necho etcd Version: ${saysVersion ?? "3.6.8"}\\n' > "$2/server"
  chmod +x "$2"/* ;;
esac
`;
  await writeFile(join(path, "go"), script);
  await chmod(join(path, "go"), 0o755);
  const env = { ...process.env, PATH: `${path}:${process.env.PATH}` };
  return { cacheDirectory: join(root, "cache"), moduleDirectory, env, builds, goOn };
}
