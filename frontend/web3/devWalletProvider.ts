import { connect } from "@clawcompute/lib/chain";
import type { Network } from "@clawcompute/lib/config/network";
import { createWalletClient, type EIP1193Provider, type Hex, http, numberToHex, type TypedDataDefinition } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** Account 6 of the phrase that every development chain funds ("test test … junk"); worthless anywhere else. */
const WELL_KNOWN_KEY: Hex = "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e";

/** A wallet that signs without asking. What is not about keys goes to the chain. */
export function createDevWalletProvider(network: Network): EIP1193Provider {
  const account = privateKeyToAccount(WELL_KNOWN_KEY);
  const [url] = network.rpcUrls;
  const { client } = connect(network);
  const wallet = createWalletClient({ account, chain: client.chain, transport: http(url) });

  const answers: Record<string, (params: readonly unknown[]) => unknown> = {
    eth_accounts: () => [account.address],
    eth_requestAccounts: () => [account.address],
    eth_chainId: () => numberToHex(network.chainId),
    personal_sign: ([message]) => account.signMessage({ message: { raw: message as Hex } }),
    eth_signTypedData_v4: ([, text]) => {
      const { domain, types, primaryType, message } = JSON.parse(text as string) as TypedDataDefinition;
      const { EIP712Domain: _, ...rest } = types as Record<string, unknown>;
      return account.signTypedData({ domain, types: rest, primaryType, message } as TypedDataDefinition);
    },
    eth_sendTransaction: ([request]) => {
      const { to, data, value, gas } = request as Record<"to" | "data" | "value" | "gas", Hex | undefined>;
      return wallet.sendTransaction({
        chain: null,
        to: to ?? null,
        ...(data ? { data } : {}),
        ...(value ? { value: BigInt(value) } : {}),
        ...(gas ? { gas: BigInt(gas) } : {}),
      });
    },
  };
  return {
    request: async ({ method, params }: { method: string; params?: readonly unknown[] }) =>
      answers[method] ? answers[method](params ?? []) : client.request({ method, params } as never),
    on: () => {},
    removeListener: () => {},
  } as unknown as EIP1193Provider;
}
