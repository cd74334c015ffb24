import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type Journal, openJournal } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let path: string;
let nth = 0;
/** A process that was killed does nothing any more, whatever its timers say. */
let life = 0;
const kill = () => {
  life += 1;
};
/** The tables: what was applied, each entry as often as it was. */
let tables: { entries: string[]; upTo: number; full: boolean };
beforeEach(() => {
  kill();
  path = join(folder, `journal-${nth++}`);
  tables = { entries: [], upTo: 0, full: false };
});

const open = (more: { path?: string | undefined } = { path }): Promise<Journal<string>> => {
  const own = life;
  return openJournal<string>({
    path: more.path,
    appliedBefore: tables.upTo,
    apply: async (entries, upTo) => {
      if (own !== life) throw new Error("this process was killed");
      if (tables.full) throw new Error("no space left on device");
      tables.entries.push(...entries);
      tables.upTo = upTo;
    },
  });
};

describe("openJournal", () => {
  test("behavior: what was appended is in the tables when asked for, and the file begins anew", async () => {
    const journal = await open();
    for (let entry = 0; entry < 300; entry += 1) journal.append(String(entry));
    expect(statSync(path).size).toBeGreaterThan(300);
    await journal.applied();
    expect(tables.entries).toEqual(Array.from({ length: 300 }, (_, entry) => String(entry)));
    expect(statSync(path).size).toBe(0);
    await journal.close();
    expect(() => journal.append("late")).toThrow("The database does not answer.");
  });

  test("error: where a shorter file cannot be written, the long one stays, and everything is applied", async () => {
    tables.full = true;
    const left = await open();
    for (let entry = 0; entry < 300; entry += 1) left.append(String(entry));
    kill();
    tables.full = false;
    mkdirSync(`${path}.new`);
    const journal = await open();
    expect(tables.entries).toHaveLength(300);
    journal.append("new");
    await journal.applied();
    expect(tables.entries.at(-1)).toBe("new");
    await journal.close();
  });

  test("behavior: by itself, a moment later", async () => {
    const journal = await open();
    journal.append("a");
    await expect.poll(() => tables.entries, { timeout: 20_000 }).toEqual(["a"]);
    await journal.close();
  });

  test("behavior: what a process left is applied by the next one, once, however often that one is killed too", async () => {
    tables.full = true;
    const killed = await open();
    killed.append("a");
    killed.append("b");
    const left = readFileSync(path);
    kill();
    // Killed before it had opened: nothing was applied.
    await expect(open()).rejects.toThrow("no space left");
    expect(readFileSync(path)).toEqual(left);
    kill();
    tables.full = false;
    await (await open()).close();
    expect(tables.entries).toEqual(["a", "b"]);
    // Killed after the tables had it, before the file began anew.
    writeFileSync(path, left);
    const third = await open();
    expect(tables.entries).toEqual(["a", "b"]);
    third.append("c");
    await third.applied();
    expect([tables.entries, tables.upTo]).toEqual([["a", "b", "c"], 3]);
    await third.close();
  });

  test("behavior: a torn last line is no entry, wherever it was torn; what stands before it is kept", async () => {
    tables.full = true;
    const killed = await open();
    killed.append("a");
    const whole = statSync(path).size;
    killed.append("bcdefgh");
    const bytes = readFileSync(path);
    kill();
    tables.full = false;
    for (let length = whole; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      Object.assign(tables, { entries: [], upTo: 0 });
      const next = await open();
      expect(tables.entries).toEqual(["a"]);
      next.append("x");
      await next.close();
      expect(tables.entries).toEqual(["a", "x"]);
    }
  });

  test("behavior: after bytes that are not what was written nothing is believed", async () => {
    tables.full = true;
    const killed = await open();
    for (const entry of ["a", "b", "c"]) killed.append(entry);
    const text = readFileSync(path, "utf8");
    kill();
    writeFileSync(path, text.replace('"b"', '"B"'));
    tables.full = false;
    await (await open()).close();
    expect(tables.entries).toEqual(["a"]);
    writeFileSync(path, "\0".repeat(64));
    truncateSync(path, 64);
    appendFileSync(path, "\n");
    await (await open()).close();
    expect(tables.entries).toEqual(["a"]);
  });

  test("error: while the tables cannot be written, who needs them is told and entries wait for them", async () => {
    const journal = await open();
    tables.full = true;
    journal.append("a");
    await expect(journal.applied()).rejects.toThrow("no space left");
    for (let entry = 1; entry < 10_000; entry += 1) journal.append("b");
    expect(() => journal.append("too many")).toThrow("The database has no room to write.");
    tables.full = false;
    await journal.applied();
    expect(tables.entries).toHaveLength(10_000);
    journal.append("again");
    await journal.close();
    expect(tables.entries).toHaveLength(10_001);
  });

  test("behavior: under load that never stops the file does not grow for ever, and holds all that waits", async () => {
    const big = "x".repeat(100_000);
    const journal = await open();
    for (let round = 0; round < 6; round += 1) {
      for (let entry = 0; entry < 20; entry += 1) journal.append(big);
      const applying = journal.applied();
      journal.append("after");
      await applying;
    }
    expect(statSync(path).size).toBeLessThan(5 * 1_048_576);
    await journal.close();
    expect(tables.entries).toHaveLength(6 * 21);
    const inMemory = await open({ path: undefined });
    inMemory.append("m");
    await inMemory.close();
    expect(tables.entries.at(-1)).toBe("m");
  });
});
