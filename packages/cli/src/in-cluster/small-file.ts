import { constants, type FileHandle, open } from "node:fs/promises";

const SIZE_LIMIT = 1 << 20;

/** The text of a file of at most 1 MiB. Rejects with an Error that names the file; never waits for a writer. */
export async function readSmallFile(path: string): Promise<string> {
  // Without O_NONBLOCK a FIFO in the place of the file would hold a thread of the pool for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`);
    return await readBounded(file, path);
  } finally {
    await file.close();
  }
}

async function readBounded(file: FileHandle, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(16_384), 0, 16_384, null);
    if (bytesRead === 0) return Buffer.concat(chunks).toString("utf8");
    size += bytesRead;
    if (size > SIZE_LIMIT) throw new Error(`${path} is larger than ${SIZE_LIMIT} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
