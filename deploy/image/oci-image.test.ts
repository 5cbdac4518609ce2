import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { buildImage, type ImageRecipe } from "./oci-image.ts";

const place = mkdtempSync(join(tmpdir(), "confcom-image-test-"));
after(() => rmSync(place, { recursive: true, force: true }));

let count = 0;
const somewhere = () => {
  count += 1;
  return { directory: join(place, `${count}`), cache: join(place, `${count}-cache`) };
};

const recipe = (program = "one"): ImageRecipe => ({
  name: "localhost/thing:1",
  layers: [
    { comment: "base", entries: [{ kind: "file", path: "/base", mode: 0o644, content: "base" }] },
    { comment: "program", entries: [{ kind: "file", path: "/program", mode: 0o755, content: program }] },
  ],
  entrypoint: ["/program", "--flag"],
  user: "65532:65532",
  env: { PATH: "/usr/bin" },
  labels: { "org.opencontainers.image.title": "thing" },
});

interface Opened {
  readonly annotations: Record<string, string>;
  readonly manifest: { layers: { digest: string }[]; annotations: Record<string, string> };
  readonly config: { created: string; config: { Entrypoint: string[]; User: string; Env: string[]; Labels: object } };
}

function open(archive: string): Opened {
  const directory = `${archive}.d`;
  mkdirSync(directory, { recursive: true });
  execFileSync("tar", ["-C", directory, "-xf", archive]);
  const read = (path: string) => JSON.parse(readFileSync(join(directory, path), "utf8"));
  const blob = (digest: string) => read(join("blobs", digest.replace(":", "/")));
  const [entry] = read("index.json").manifests;
  const manifest = blob(entry.digest);
  return { annotations: entry.annotations, manifest, config: blob(manifest.config.digest) };
}

const missing = ["umoci", "tar"].find((program) => spawnSync(program, ["--version"]).error !== undefined);

describe("an image", { skip: missing === undefined ? false : `${missing} is not installed` }, () => {
  it("carries its name where containerd and where others look for it", async () => {
    const { archive } = await buildImage(recipe(), somewhere());
    assert.deepEqual(open(archive).annotations, {
      "io.containerd.image.name": "localhost/thing:1",
      "org.opencontainers.image.ref.name": "localhost/thing:1",
    });
  });

  it("has the recipe's configuration, and a time that says nothing", async () => {
    const { archive } = await buildImage(recipe(), somewhere());
    const { config, manifest } = open(archive);
    assert.deepEqual(config.config.Entrypoint, ["/program", "--flag"]);
    assert.equal(config.config.User, "65532:65532");
    assert.deepEqual(config.config.Env, ["PATH=/usr/bin"]);
    assert.deepEqual(config.config.Labels, { "org.opencontainers.image.title": "thing" });
    assert.equal(manifest.annotations["org.opencontainers.image.title"], "thing");
    assert.equal(new Date(config.created).getTime(), 0);
  });

  it("is the same bytes when built elsewhere, from nothing", async () => {
    const first = await buildImage(recipe(), somewhere());
    const second = await buildImage(recipe(), somewhere());
    assert.ok(readFileSync(first.archive).equals(readFileSync(second.archive)));
    assert.equal(second.digest, first.digest);
    assert.equal(second.cached, false);
  });

  it("is not built again while nothing changes", async () => {
    const places = somewhere();
    const first = await buildImage(recipe(), places);
    const second = await buildImage(recipe(), places);
    assert.deepEqual(second, { ...first, cached: true });
  });

  it("shares what lies below a changed layer, and is what it would be without the kept layers", async () => {
    const places = somewhere();
    const first = await buildImage(recipe("one"), places);
    const second = await buildImage(recipe("two"), places);
    const afresh = await buildImage(recipe("two"), somewhere());
    const [layers, changed] = [open(first.archive).manifest.layers, open(second.archive).manifest.layers];
    assert.equal(changed[0]?.digest, layers[0]?.digest);
    assert.notEqual(changed[1]?.digest, layers[1]?.digest);
    assert.equal(second.digest, afresh.digest);
  });

  it("leaves nothing unfinished behind, and only so many older archives", async () => {
    const places = somewhere();
    const built = [];
    for (let version = 0; version < 8; version += 1) built.push(await buildImage(recipe(`${version}`), places));
    assert.deepEqual(
      readdirSync(places.cache).filter((name) => !name.startsWith("layers-")),
      [],
    );
    const archives = readdirSync(places.directory).filter((name) => name.endsWith(".tar"));
    assert.equal(archives.length, 6);
    assert.ok(existsSync(built.at(-1)?.archive ?? ""));
  });

  it("is built by two builders at once", async () => {
    const places = somewhere();
    const [first, second] = await Promise.all([buildImage(recipe(), places), buildImage(recipe(), places)]);
    assert.equal(first.digest, second.digest);
    assert.equal(open(first.archive).config.config.User, "65532:65532");
  });
});
