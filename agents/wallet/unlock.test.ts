import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { networkOf } from "@clawcompute/lib/config/network";
import { toHex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encryptKey } from "./keystore.ts";
import { unlock, writeWalletFile } from "./unlock.ts";

const contracts = { registry: `0x${"1".repeat(40)}`, streamPay: `0x${"2".repeat(40)}`, paymentChannel: `0x${"3".repeat(40)}` } as const;
const local = networkOf({ name: "local" });
const bsc = networkOf({ name: "bsc", contracts });
const nobody = async () => undefined;
const devKey = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";
const light = { n: 2, r: 1, p: 1 };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "claw-wallet-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const unlockWith = (
  env: Record<string, string>,
  network = local,
  askPassword: (question: string) => Promise<string | undefined> = nobody,
) => unlock({ env, network, askPassword, home });

async function fileAt(path: string, password = "correct horse") {
  const key = generatePrivateKey();
  writeWalletFile(path, await encryptKey(key, password, light));
  return privateKeyToAddress(key);
}

describe("unlock", () => {
  it("behavior: on the local network development account 5 pays without any configuration", async () => {
    const { account, source } = await unlockWith({});
    expect({ address: account.address, source }).toEqual({
      address: "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
      source: "development account",
    });
  });

  it("behavior: PRIVATE_KEY comes first, then the wallet file", async () => {
    const key = generatePrivateKey();
    const path = join(home, "w.json");
    const address = await fileAt(path);
    const env = { WALLET_FILE: path, WALLET_PASSWORD: "correct horse" };
    expect((await unlockWith(env)).account.address).toBe(address);
    expect((await unlockWith({ ...env, PRIVATE_KEY: key })).account.address).toBe(privateKeyToAddress(key));
  });

  it("behavior: on a public chain the default file counts, on the local one only a named file does", async () => {
    const address = await fileAt(join(home, ".clawcompute", "wallet.json"));
    const env = { WALLET_PASSWORD: "correct horse" };
    expect((await unlockWith(env, bsc)).account.address).toBe(address);
    expect((await unlockWith(env, local)).source).toBe("development account");
  });

  it("behavior: the password comes from a file, or a person is asked once", async () => {
    const path = join(home, "w.json");
    const address = await fileAt(path);
    writeFileSync(join(home, "password"), "correct horse\n");
    expect((await unlockWith({ WALLET_FILE: path, WALLET_PASSWORD_FILE: join(home, "password") })).account.address).toBe(address);
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return "correct horse";
    };
    expect((await unlockWith({ WALLET_FILE: path }, local, ask)).account.address).toBe(address);
    expect(questions).toHaveLength(1);
  });

  it.each([
    ["no wallet on a public chain", {}, bsc, "WALLET_MISSING"],
    ["a file that is not there", { WALLET_FILE: "/nowhere/w.json" }, local, "WALLET_MISSING"],
    ["a development key on a public chain", { PRIVATE_KEY: devKey }, bsc, "DEV_KEY_ON_PUBLIC_CHAIN"],
    ["a key that is none", { PRIVATE_KEY: "0x12" }, local, "CONFIG_INVALID"],
  ])("error: %s", async (_, env, network, code) => {
    await expect(unlockWith(env, network)).rejects.toMatchObject({ code });
  });

  it("error: no password, wrong password, no file of passwords", async () => {
    const path = join(home, "w.json");
    await fileAt(path);
    await expect(unlockWith({ WALLET_FILE: path })).rejects.toMatchObject({ code: "WALLET_LOCKED" });
    await expect(unlockWith({ WALLET_FILE: path, WALLET_PASSWORD: "wrong" })).rejects.toMatchObject({ code: "WALLET_LOCKED" });
    await expect(unlockWith({ WALLET_FILE: path, WALLET_PASSWORD_FILE: join(home, "none") })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      param: "WALLET_PASSWORD_FILE",
    });
  });
});

describe("writeWalletFile", () => {
  it("behavior: only its owner can read it", async () => {
    const path = join(home, "deep", "w.json");
    await fileAt(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, "deep")).mode & 0o777).toBe(0o700);
  });

  it("error: a wallet is never overwritten", async () => {
    const path = join(home, "w.json");
    await fileAt(path);
    const before = readFileSync(path, "utf8");
    const other = await encryptKey(toHex(new Uint8Array(32).fill(7)), "p", light);
    expect(() => writeWalletFile(path, other)).toThrowError(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(readFileSync(path, "utf8")).toBe(before);
  });
});
