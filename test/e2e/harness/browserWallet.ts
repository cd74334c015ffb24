import type { Page } from "@playwright/test";
import {
  type Address,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
  isHex,
  type LocalAccount,
  numberToHex,
  parseAbi,
  type TypedDataDefinition,
  zeroAddress,
} from "viem";

interface Ask {
  readonly method: string;
  readonly params?: readonly unknown[];
}

export interface BrowserWalletOptions {
  readonly account: LocalAccount;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly name?: string;
  /** A contract that acts for the account (`execute(to, value, data)`): the wallet then is that contract. */
  readonly contractWallet?: Address;
  /** What the person refuses. */
  readonly refuse?: (ask: Ask) => boolean;
}

export interface BrowserWallet {
  /** What the page asked for that a person would see, in order. */
  readonly prompts: string[];
  /** Sent for the page, in order. */
  readonly transactions: Hex[];
}

const execute = parseAbi(["function execute(address to, uint256 value, bytes data) payable returns (bytes)"]);
const promptMethods = ["eth_requestAccounts", "personal_sign", "eth_signTypedData_v4", "eth_sendTransaction"];

/** A browser wallet (EIP-1193, announced by EIP-6963) in every page; the test holds its key. As real ones do, it tells no account before the person agreed. */
export async function installWallet(page: Page, options: BrowserWalletOptions): Promise<BrowserWallet> {
  const { account, rpcUrl, chainId, name = "Test Wallet", refuse, contractWallet } = options;
  const address = contractWallet ?? account.address;
  const chain = defineChain({
    id: chainId,
    name: "test",
    nativeCurrency: { name: "ETH", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const client = createWalletClient({ account, chain, transport: http(rpcUrl) });
  const prompts: string[] = [];
  const transactions: Hex[] = [];
  let granted = false;

  const answers: Record<string, (params: readonly unknown[]) => unknown> = {
    eth_accounts: () => (granted ? [address] : []),
    eth_requestAccounts: () => {
      granted = true;
      return [address];
    },
    eth_chainId: () => numberToHex(chainId),
    wallet_switchEthereumChain: () => null,
    wallet_getPermissions: () => (granted ? [{ parentCapability: "eth_accounts" }] : []),
    wallet_requestPermissions: () => [{ parentCapability: "eth_accounts" }],
    wallet_revokePermissions: () => {
      granted = false;
      return null;
    },
    personal_sign: ([message]) => account.signMessage({ message: isHex(message) ? { raw: message } : String(message) }),
    eth_signTypedData_v4: ([, text]) => {
      const { types, ...data } = JSON.parse(text as string) as TypedDataDefinition;
      const { EIP712Domain: _, ...rest } = types as Record<string, unknown>;
      return account.signTypedData({ ...data, types: rest } as TypedDataDefinition);
    },
    eth_sendTransaction: async ([request]) => {
      const { to, data, value, gas } = request as Record<"to" | "data" | "value" | "gas", Hex | undefined>;
      const call = contractWallet
        ? {
            to: contractWallet,
            data: encodeFunctionData({ abi: execute, args: [to ?? zeroAddress, BigInt(value ?? 0), data ?? "0x"] }),
            // What the page asks for, and what the wallet's own code takes: a block later an exit may have more to pay out.
            ...(gas ? { gas: (BigInt(gas) * 64n) / 63n + 60_000n } : {}),
          }
        : { to: to ?? null, ...(data ? { data } : {}), ...(value ? { value: BigInt(value) } : {}), ...(gas ? { gas: BigInt(gas) } : {}) };
      const hash = await client.sendTransaction(call);
      transactions.push(hash);
      return hash;
    },
  };

  await page.exposeFunction("__askWallet", async (ask: Ask) => {
    if (promptMethods.includes(ask.method)) prompts.push(ask.method);
    if (refuse?.(ask)) return { error: { code: 4001, message: "User rejected the request." } };
    try {
      const answer = answers[ask.method];
      return { result: await (answer ? answer(ask.params ?? []) : client.request(ask as never)) };
    } catch (thrown) {
      const { code, message } = thrown as { code?: number; message: string };
      return { error: { code: code ?? -32603, message } };
    }
  });
  await page.addInitScript((walletName) => {
    type Listener = (value: unknown) => void;
    const listeners = new Map<string, Listener[]>();
    const provider = {
      request: async (ask: unknown) => {
        const { result, error } = await (
          window as unknown as { __askWallet(ask: unknown): Promise<{ result?: unknown; error?: { code: number; message: string } }> }
        ).__askWallet(ask);
        if (error) throw Object.assign(new Error(error.message), { code: error.code });
        return result;
      },
      on: (event: string, listener: Listener) => {
        listeners.set(event, [...(listeners.get(event) ?? []), listener]);
        return provider;
      },
      removeListener: (event: string, listener: Listener) => {
        listeners.set(
          event,
          (listeners.get(event) ?? []).filter((known) => known !== listener),
        );
        return provider;
      },
    };
    // As when the person changes something in the wallet itself.
    (window as unknown as { __tellPage(event: string, value: unknown): void }).__tellPage = (event, value) => {
      for (const listener of listeners.get(event) ?? []) listener(value);
    };
    const icon = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#0ea5e9"/></svg>')}`;
    const info = { uuid: crypto.randomUUID(), name: walletName, icon, rdns: "test.wallet" };
    const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
    addEventListener("eip6963:requestProvider", announce);
    announce();
  }, name);
  return { prompts, transactions };
}
