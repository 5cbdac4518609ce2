import { constants } from "node:fs";
import { type FileHandle, lstat, open, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { CollateralError } from "../../errors.ts";

export interface DirectoryFile {
  readonly bytes: Uint8Array;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/** The files of an air-gapped source. Tests and other stores of files bring their own. */
export interface DirectoryFiles {
  /** The path, for messages. */
  readonly name: string;
  /**
   * A file by its name below the directory, undefined if there is none; "unchanged" if it still has the stamp that the
   * caller knows. Fails with CollateralError: SOURCE_ANSWER if it
   * has more bytes, is no file or leads out of the directory, SOURCE_UNREACHABLE if it cannot be read.
   */
  read(name: string, maxBytes: number): Promise<DirectoryFile | undefined>;
  read(name: string, maxBytes: number, stamp: string | undefined): Promise<DirectoryFile | "unchanged" | undefined>;
}

const ABSENT = new Set(["ENOENT", "ENOTDIR"]);

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/**
 * The files of a real directory, or one file, which is then found as `collateral.json`. Links are followed as long as they
 * stay inside (mounted configuration is made of such links). Nothing is read before {@link DirectoryFiles.read}.
 */
export function directoryFiles(path: string): DirectoryFiles {
  const failed = (code: "SOURCE_ANSWER" | "SOURCE_UNREACHABLE", file: string, problem: string, cause?: unknown) =>
    new CollateralError(code, `directory ${path}: ${file} ${problem}`, { cause, source: `directory ${path}` });

  const read = async (name: string, maxBytes: number, stamp?: string) => {
    let handle: FileHandle | undefined;
    try {
      const root = await realpath(path);
      const alone = (await stat(root)).isFile();
      if (alone && name !== "collateral.json") return undefined;
      const file = alone ? root : await realpath(join(root, name));
      if (file !== root && !file.startsWith(root === sep ? sep : root + sep)) {
        throw failed("SOURCE_ANSWER", name, "leads out of the directory");
      }
      // Before it is opened: a FIFO would be waited for, a device acts. The last link was resolved above.
      if (!(await lstat(file)).isFile()) throw failed("SOURCE_ANSWER", name, "is not a file");
      handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const { size, mtimeMs, ino } = await handle.stat();
      if (size > maxBytes) throw failed("SOURCE_ANSWER", name, `has more than ${maxBytes} bytes`);
      const current = `${ino}/${size}/${mtimeMs}`;
      return current === stamp ? ("unchanged" as const) : { bytes: await readWhole(handle, size), stamp: current };
    } catch (error) {
      if (error instanceof CollateralError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? "";
      // The directory itself must be there: an empty answer for a missing mount would be taken for the truth.
      if (ABSENT.has(code) && (await exists(path))) return undefined;
      throw failed("SOURCE_UNREACHABLE", name, `cannot be read (${code})`, error);
    } finally {
      await handle?.close();
    }
  };
  return { name: path, read: read as DirectoryFiles["read"] };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
