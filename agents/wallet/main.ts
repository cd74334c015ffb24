import { streamPayAbi } from "@clawcompute/lib/abi";
import { connectChain, decodeRevert, refuseDevKeyOnPublicChain } from "@clawcompute/lib/chain";
import { readSettings } from "@clawcompute/lib/config/env";
import { networkFromEnv } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type Address, getAddress, type Hex, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exitCodes.ts";
import { askPassword } from "./askPassword.ts";
import { defaultWalletFile, settings } from "./config.ts";
import { encryptKey } from "./keystore.ts";
import { developmentAccount, readPassword, readWalletFile, writeWalletFile } from "./unlock.ts";

export interface WalletFlags {
  /** Where the wallet file is written; default WALLET_FILE, else ~/.clawcompute/wallet.json. */
  readonly file?: string;
}

/** `claw wallet new`: a fresh key, encrypted; only its address is shown. */
export const walletNewMain = (flags: WalletFlags, context: CommandContext): Promise<number> => store(generatePrivateKey(), flags, context);

/** `claw wallet import`: the key from PRIVATE_KEY or typed unseen. */
export async function walletImportMain(flags: WalletFlags, context: CommandContext): Promise<number> {
  const typed = readSettings(settings, context.env).privateKey ?? (await askPassword("Private key (not shown): "));
  const { privateKey } = readSettings(settings, { PRIVATE_KEY: typed });
  if (privateKey === undefined) {
    throw new AppError("WALLET_MISSING", "There is no key to import.", {
      param: "PRIVATE_KEY",
      hint: "Set PRIVATE_KEY, or run it in a terminal to be asked.",
    });
  }
  return store(privateKey, flags, context);
}

/** `claw wallet address`: without unlocking anything. */
export async function walletAddressMain({ env, terminal, json }: CommandContext): Promise<number> {
  const { address, source } = walletAddressOf(env);
  terminal.out(json ? `${JSON.stringify({ address, source })}\n` : `${address}\n`);
  return exitCodes.done;
}

/** `claw wallet balance`: native coin, and what StreamPay holds for it. */
export async function walletBalanceMain({ env, terminal, json }: CommandContext): Promise<number> {
  const { network, client } = connectChain(networkFromEnv(env));
  const { address } = walletAddressOf(env);
  const read = { address: network.contracts.streamPay, abi: streamPayAbi, functionName: "creditOf", args: [address, zeroAddress] } as const;
  const [balance, credit] = await Promise.all([client.getBalance({ address }), client.readContract(read)]).catch((thrown: unknown) => {
    throw decodeRevert(thrown);
  });
  const { name, chainId, nativeSymbol } = network;
  const report = { address, network: name, chainId, balanceWei: String(balance), creditWei: String(credit) };
  const lines = [
    `${formatAmount(balance)} ${nativeSymbol} on ${name}`,
    ...(credit > 0n ? [`${formatAmount(credit)} ${nativeSymbol} to collect from StreamPay`] : []),
  ];
  terminal.out(json ? `${JSON.stringify(report)}\n` : `${address}\n${lines.join("\n")}\n`);
  return exitCodes.done;
}

async function store(privateKey: Hex, { file }: WalletFlags, { env, terminal, json }: CommandContext): Promise<number> {
  const path = file ?? readSettings(settings, env).walletFile ?? defaultWalletFile();
  const address = privateKeyToAddress(privateKey);
  const network = networkFromEnv(env);
  refuseDevKeyOnPublicChain(network, address);
  const password = await newPassword(env);
  writeWalletFile(path, await encryptKey(privateKey, password));
  terminal.out(json ? `${JSON.stringify({ address, file: path })}\n` : `${address}\n`);
  if (json) return exitCodes.done;
  terminal.err(`Wrote ${path}. Keep the file and its password: nobody can restore them.\n`);
  if (network.isLocal) {
    terminal.err("The local network needs no wallet: without WALLET_FILE and PRIVATE_KEY claw pays there from a development account.\n");
  }
  return exitCodes.done;
}

async function newPassword(env: CommandContext["env"]): Promise<string> {
  let asked = false;
  const ask = (question: string) => {
    asked = true;
    return askPassword(question);
  };
  const password = await readPassword(env, ask, "New password for the wallet: ");
  if (password.length < 8) {
    throw new AppError("CONFIG_INVALID", "The password is shorter than 8 characters.", {
      param: "WALLET_PASSWORD",
      hint: "Choose a longer one.",
    });
  }
  if (asked && (await askPassword("The same again: ")) !== password) {
    throw new AppError("CONFIG_INVALID", "The two passwords differ.", { param: "WALLET_PASSWORD", hint: "Try again." });
  }
  return password;
}

export interface WalletAddress {
  readonly address: Address;
  readonly source: "PRIVATE_KEY" | "wallet file" | "development account";
  readonly file: string | undefined;
}

/** The paying address by the same order as `unlock`, without a password. Throws WALLET_MISSING or CONFIG_INVALID. */
export function walletAddressOf(env: CommandContext["env"]): WalletAddress {
  const { privateKey, walletFile } = readSettings(settings, env);
  if (privateKey !== undefined) return { address: privateKeyToAddress(privateKey), source: "PRIVATE_KEY", file: undefined };
  if (walletFile === undefined && networkFromEnv(env).isLocal)
    return { address: developmentAccount().address, source: "development account", file: undefined };
  const file = walletFile ?? defaultWalletFile();
  const { address } = readWalletFile(file);
  if (address === undefined) throw new AppError("CONFIG_INVALID", "The wallet file does not name its address.", { param: "WALLET_FILE" });
  return { address: getAddress(`0x${address.replace(/^0x/, "")}`), source: "wallet file", file };
}
