import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { refuseDevKeyOnPublicChain } from "@clawcompute/lib/chain";
import { readSettings } from "@clawcompute/lib/config/env";
import type { Network } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import type { LocalAccount } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { defaultWalletFile, settings } from "./config.ts";
import { decryptKey, type Keystore, parseKeystore } from "./keystore.ts";

/** Asks a person; undefined where nobody can be asked. */
export type AskPassword = (question: string) => Promise<string | undefined>;

export interface UnlockOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly network: Network;
  readonly askPassword: AskPassword;
  readonly home?: string;
}

export interface Unlocked {
  readonly account: LocalAccount;
  readonly source: "PRIVATE_KEY" | "wallet file" | "development account";
}

/** Which of the well-known accounts pays on a local chain: 0 deploys, 1 to 3 provide, 4 keeps. */
const CONSUMER_INDEX = 5;

/**
 * The account that pays: PRIVATE_KEY, else the wallet file. On the local network a wallet file counts only when it is named,
 * and a funded development account is the default, so that nothing has to be configured there.
 * Throws WALLET_MISSING, WALLET_LOCKED, CONFIG_INVALID or DEV_KEY_ON_PUBLIC_CHAIN.
 */
export async function unlock({ env, network, askPassword, home }: UnlockOptions): Promise<Unlocked> {
  const { privateKey, walletFile } = readSettings(settings, env);
  const unlocked = await (async (): Promise<Unlocked> => {
    if (privateKey !== undefined) return { account: privateKeyToAccount(privateKey), source: "PRIVATE_KEY" };
    const path = walletFile ?? defaultWalletFile(home);
    if (walletFile !== undefined || (!network.isLocal && existsSync(path))) {
      const keystore = readWalletFile(path);
      const password = await readPassword(env, askPassword, "Password of the wallet: ");
      return { account: privateKeyToAccount(await decryptKey(keystore, password)), source: "wallet file" };
    }
    if (network.isLocal) return { account: developmentAccount(), source: "development account" };
    throw new AppError("WALLET_MISSING", `There is no wallet at ${path}.`, { param: "WALLET_FILE" });
  })();
  refuseDevKeyOnPublicChain(network, unlocked.account.address);
  return unlocked;
}

export const developmentAccount = (): LocalAccount =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: CONSUMER_INDEX });

/** From WALLET_PASSWORD_FILE, WALLET_PASSWORD or a person; never from the command line, which every process can read. */
export async function readPassword(env: UnlockOptions["env"], askPassword: AskPassword, question: string): Promise<string> {
  const { passwordFile, password } = readSettings(settings, env);
  if (passwordFile !== undefined) return readPasswordFile(passwordFile);
  const given = password ?? (await askPassword(question));
  if (given === undefined || given === "") {
    throw new AppError("WALLET_LOCKED", "The wallet's password is needed.", {
      hint: "Set WALLET_PASSWORD_FILE, or run it in a terminal to be asked.",
    });
  }
  return given;
}

function readPasswordFile(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `WALLET_PASSWORD_FILE: cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      param: "WALLET_PASSWORD_FILE",
    });
  }
}

/** Throws WALLET_MISSING or CONFIG_INVALID. */
export function readWalletFile(path: string): Keystore {
  try {
    if (statSync(path).size > 65_536) throw new AppError("CONFIG_INVALID", "WALLET_FILE: is no wallet file.", { param: "WALLET_FILE" });
    return parseKeystore(readFileSync(path, "utf8"));
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    throw new AppError("WALLET_MISSING", `The wallet file ${path} cannot be read (${code}).`, { param: "WALLET_FILE" });
  }
}

/** For its owner's eyes only; an existing file is never overwritten. Throws CONFIG_INVALID. */
export function writeWalletFile(path: string, keystore: Keystore): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, `${JSON.stringify(keystore, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "EEXIST" ? "there is a wallet already" : `cannot be written (${code})`;
    throw new AppError("CONFIG_INVALID", `${path}: ${reason}.`, { param: "WALLET_FILE", hint: "Name another file with --file." });
  }
  chmodSync(path, 0o600);
}
