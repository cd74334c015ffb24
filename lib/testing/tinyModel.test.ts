import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tinyGguf, tinyModels, writeTinyModel } from "./tinyModel.ts";

describe("tinyGguf", () => {
  test("behavior: the same options give the same bytes, another seed others", () => {
    const options = { say: "one two three", seed: 5 };
    expect(tinyGguf(options).equals(tinyGguf(options))).toBe(true);
    expect(tinyGguf(options).equals(tinyGguf({ ...options, seed: 6 }))).toBe(false);
  });

  test("behavior: is a GGUF file of version 3 with every tensor inside it", () => {
    const bytes = tinyGguf({ say: "one two", layers: 1 });
    expect(bytes.subarray(0, 4).toString()).toBe("GGUF");
    expect(bytes.readUInt32LE(4)).toBe(3);
    expect(bytes.readBigUInt64LE(8)).toBe(3n + 9n);
    expect(bytes.length % 32).toBe(0);
  });

  test.each([
    [{ say: "the cat and the dog" }, "differ from each other"],
    [{ say: "I am" }, "longer than one character"],
    [{ say: "alone", cycle: true }, "two words or more"],
  ])("error: %j cannot be said", (options, message) => {
    expect(() => tinyGguf(options)).toThrow(
      expect.objectContaining({ code: "BAD_REQUEST", param: "say", message: expect.stringContaining(message) }),
    );
  });
});

describe("writeTinyModel", () => {
  test("behavior: writes a named model whole, into a folder that need not exist", async () => {
    const folder = await mkdtemp(join(tmpdir(), "claw-tiny-"));
    const path = join(folder, "models", "one.gguf");
    expect(await writeTinyModel(path, "claw-tiny-1")).toBeGreaterThan(400_000);
    expect((await readFile(path)).equals(tinyGguf(tinyModels["claw-tiny-1"]))).toBe(true);
    expect(await readdir(join(folder, "models"))).toEqual(["one.gguf"]);
    await rm(folder, { recursive: true });
  });
});
