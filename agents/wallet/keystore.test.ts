import { randomBytes } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { toHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { decryptKey, encryptKey, type Keystore, parseKeystore } from "./keystore.ts";

const light = { n: 2, r: 1, p: 1 };

/** Written by ethers 6.17, capital letter and all. */
const foreign = {
  address: "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
  id: "31313131-3131-4131-b131-313131313131",
  version: 3,
  Crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83".repeat(16) },
    ciphertext: "d3d883c4823e4c9f246d7f4835f713505e827658733da9987d01f003d1ea8b1b",
    kdf: "scrypt",
    kdfparams: { salt: "ab".repeat(32), n: 4096, dklen: 32, p: 1, r: 8 },
    mac: "b0c2c099bba2766b2e9b80baf6957a3649d59831764efce34ea661b6d255fbf9",
  },
};

describe("keystore", () => {
  it("behavior: opens what other wallets write", async () => {
    expect(await decryptKey(parseKeystore(JSON.stringify(foreign)), "testpassword")).toBe(
      "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
    );
  });

  it("behavior: what was put in comes out, with its address in the clear and nothing else", async () => {
    const key = toHex(randomBytes(32));
    const keystore = await encryptKey(key, "correct horse", light);
    const text = JSON.stringify(keystore);
    expect(text).not.toContain(key.slice(2));
    expect(keystore.address).toBe(privateKeyToAddress(key).slice(2).toLowerCase());
    expect(await decryptKey(parseKeystore(text), "correct horse")).toBe(key);
    const { crypto, ...rest } = keystore;
    expect(await decryptKey(parseKeystore(JSON.stringify({ ...rest, Crypto: crypto })), "correct horse")).toBe(key);
  });

  it.each([
    { n: 262_144, r: 1, p: 8 },
    { n: 1000, r: 8, p: 1 },
  ])("error: parameters that cannot be used: %o", async (work) => {
    const keystore = parseKeystore(JSON.stringify(foreign));
    const crypto = { ...keystore.crypto, kdfparams: { ...keystore.crypto.kdfparams, ...work } };
    await expect(decryptKey({ ...keystore, crypto }, "testpassword")).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      param: "WALLET_FILE",
    });
  });

  it("behavior: two files of one key have nothing in common", async () => {
    const key = toHex(randomBytes(32));
    const [one, two] = [await encryptKey(key, "p", light), await encryptKey(key, "p", light)];
    expect(one.crypto.ciphertext).not.toBe(two.crypto.ciphertext);
    expect(one.crypto.kdfparams.salt).not.toBe(two.crypto.kdfparams.salt);
  });

  it("error: a wrong password is WALLET_LOCKED", async () => {
    const keystore = await encryptKey(toHex(randomBytes(32)), "right", light);
    await expect(decryptKey(keystore, "wrong")).rejects.toMatchObject({ code: "WALLET_LOCKED" });
  });

  it("error: a file that was changed is refused, and the key is in no error", async () => {
    const key = toHex(randomBytes(32));
    const keystore = await encryptKey(key, "right", light);
    const flipped = `${keystore.crypto.ciphertext.slice(0, -1)}${keystore.crypto.ciphertext.endsWith("0") ? "1" : "0"}`;
    await expect(decryptKey({ ...keystore, crypto: { ...keystore.crypto, ciphertext: flipped } }, "right")).rejects.toMatchObject({
      code: "WALLET_LOCKED",
    });
    const error: Error = await decryptKey({ ...keystore, address: "11".repeat(20) }, "right").then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(JSON.stringify(error) + error.stack).not.toContain(key.slice(2));
  });

  it.each<[string, (keystore: Keystore) => unknown, string]>([
    ["another version", (keystore) => ({ ...keystore, version: 1 }), "version"],
    ["another cipher", (keystore) => ({ ...keystore, crypto: { ...keystore.crypto, cipher: "aes-256-cbc" } }), "crypto.cipher"],
    ["another derivation", (keystore) => ({ ...keystore, crypto: { ...keystore.crypto, kdf: "pbkdf2" } }), "crypto.kdf"],
    [
      "more work than memory",
      (keystore) => ({ ...keystore, crypto: { ...keystore.crypto, kdfparams: { ...keystore.crypto.kdfparams, n: 2 ** 30 } } }),
      "crypto.kdfparams.n",
    ],
    ["no crypto", () => ({ version: 3 }), "crypto"],
    ["null", () => null, "body"],
  ])("error: %s is refused by name", async (_, change, param) => {
    const keystore = await encryptKey(toHex(randomBytes(32)), "p", light);
    expect(() => parseKeystore(JSON.stringify(change(keystore)))).toThrowError(expect.objectContaining({ code: "CONFIG_INVALID", param }));
  });

  it("error: arbitrary text throws AppError only", () => {
    for (let run = 0; run < Number(process.env.FUZZ_RUNS ?? 200); run += 1) {
      const text =
        run % 2 ? randomBytes(50).toString("latin1") : JSON.stringify({ version: 3, crypto: { [randomBytes(2).toString("hex")]: run } });
      expect(() => parseKeystore(text)).toThrowError(AppError);
    }
  });
});
