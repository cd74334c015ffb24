import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { storeError } from "./storeError.ts";

/**
 * Entries that are kept at once, by one write to a file, and put into the tables in large groups a moment later: for an embedded
 * database, where a statement costs a hundred times a write. What was written survives the process, as what the database itself
 * has written does; neither waits for the disk, so a power failure may take the newest part of both.
 */
export interface Journal<T> {
  /** Kept when this returns. Throws STORE_FULL when it could not be, and then it is not. */
  append(entry: T): void;
  /** Resolves when the tables tell everything that was appended before. */
  applied(): Promise<void>;
  /** The same, and nothing can be appended any more. */
  close(): Promise<void>;
}

export interface JournalOptions<T> {
  /** Absent: the database is in memory too. */
  readonly path: string | undefined;
  /** Number of the newest entry that is in the tables. */
  readonly appliedBefore: number;
  /** Puts entries into the tables and notes the number of the last one, all or nothing. */
  readonly apply: (entries: readonly T[], upTo: number) => Promise<void>;
}

interface Kept<T> {
  readonly number: number;
  readonly entry: T;
}

const LATER_MS = 200;
const RETRY_MS = 1_000;
const GROUP = 128;
/** The file begins anew when it is empty; under steady load, at this length. */
const LONG_BYTES = 4 * 1_048_576;
/** While the tables cannot be written, this much may wait. */
const MOST_WAITING = 10_000;

/** Puts what an earlier process has left into the tables; a last line that was not written whole is no entry. */
export async function openJournal<T>({ path, appliedBefore, apply }: JournalOptions<T>): Promise<Journal<T>> {
  let waiting: Kept<T>[] = path === undefined ? [] : readEntries<T>(path).filter(({ number }) => number > appliedBefore);
  let newest = waiting.at(-1)?.number ?? appliedBefore;
  let done = appliedBefore;
  let file = path === undefined ? undefined : openSync(path, waiting.length > 0 ? "r+" : "w", 0o600);
  let length = LONG_BYTES;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failure: unknown;
  let closed = false;

  async function applyGroup(): Promise<void> {
    const group = waiting.slice(0, GROUP);
    const last = group.at(-1);
    if (!last) return;
    await apply(
      group.map(({ entry }) => entry),
      last.number,
    );
    failure = undefined;
    done = last.number;
    waiting = waiting.slice(group.length);
    if (file !== undefined && (waiting.length === 0 || length >= LONG_BYTES)) shorten();
  }

  /** It saves space only: where there is none for it, the file stays as it is until the next group. */
  function shorten(): void {
    try {
      beginAnew();
    } catch {}
  }

  function run(): Promise<void> {
    running ??= applyGroup()
      .catch((thrown) => {
        failure = thrown;
        throw thrown;
      })
      .finally(() => {
        running = undefined;
        if (waiting.length > 0) schedule(failure !== undefined ? RETRY_MS : waiting.length < GROUP ? LATER_MS : 0);
      });
    return running;
  }

  function schedule(afterMs: number): void {
    if (timer !== undefined || closed) return;
    timer = setTimeout(() => {
      timer = undefined;
      run().catch(() => {});
    }, afterMs);
    timer.unref();
  }

  /** Only what waits is still needed. */
  function beginAnew(): void {
    if (waiting.length === 0) {
      ftruncateSync(file as number, 0);
      length = 0;
      return;
    }
    const next = `${path}.new`;
    const lines = Buffer.concat(waiting.map(encode));
    const opened = openSync(next, "w", 0o600);
    try {
      writeWhole(opened, lines, 0);
      renameSync(next, path as string);
    } catch (thrown) {
      closeSync(opened);
      throw thrown;
    }
    closeSync(file as number);
    file = opened;
    length = lines.length;
  }

  async function applied(): Promise<void> {
    const upTo = newest;
    while (done < upTo) await run();
  }

  function end(): void {
    closed = true;
    clearTimeout(timer);
    if (file !== undefined) closeSync(file);
    file = undefined;
  }

  try {
    await applied();
    if (file !== undefined) beginAnew();
  } catch (thrown) {
    end();
    throw thrown;
  }

  return {
    append: (entry) => {
      if (closed) throw storeError(new Error("the database is closed"));
      if (waiting.length >= MOST_WAITING && failure !== undefined) throw storeError(failure);
      const kept = { number: newest + 1, entry };
      if (file !== undefined) {
        try {
          const line = encode(kept);
          writeWhole(file, line, length);
          length += line.length;
        } catch (thrown) {
          throw storeError(thrown);
        }
      }
      newest += 1;
      waiting.push(kept);
      schedule(LATER_MS);
    },
    applied,
    close: async () => {
      await applied();
      end();
    },
  };
}

/** What of a line is missing is written over by the next one. */
function writeWhole(file: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written, bytes.length - written, position + written);
}

function encode<T>({ number, entry }: Kept<T>): Buffer {
  const text = JSON.stringify([number, entry]);
  return Buffer.from(`${crc32(text).toString(16)} ${text}\n`);
}

/** Up to the first line that is not whole. */
function readEntries<T>(path: string): Kept<T>[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
  const entries: Kept<T>[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const space = line.indexOf(" ");
    const json = line.slice(space + 1);
    if (space < 1 || crc32(json).toString(16) !== line.slice(0, space)) break;
    const [number, entry] = JSON.parse(json) as [number, T];
    entries.push({ number, entry });
  }
  return entries;
}
