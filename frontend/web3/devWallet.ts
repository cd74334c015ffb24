import type { Network } from "@clawcompute/lib/config/network";
import type { EIP1193Provider } from "viem";
import { getAddress, numberToHex } from "viem";
import { createConnector } from "wagmi";

export const DEV_WALLET_ID = "clawcompute-development";
export const DEV_WALLET_NAME = "Development wallet";

const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><rect width="28" height="28" fill="#8a5300"/><path d="M10 9 5 14l5 5M18 9l5 5-5 5" fill="none" stroke="#fff" stroke-width="2.5"/></svg>',
)}`;

/** What the wallet chooser reads to list a connector that was not made by it. */
const listing = {
  isRainbowKitConnector: true,
  id: DEV_WALLET_ID,
  name: DEV_WALLET_NAME,
  iconUrl: icon,
  iconBackground: "#8a5300",
  installed: true,
  index: 0,
  groupIndex: 0,
  groupName: "Local network only",
};

/** A funded account whose key everybody knows, so that a newcomer can try everything. Only for a chain of one's own. */
export function devWallet(network: Network) {
  if (!network.isLocal) throw new Error("the development wallet is for local chains only");
  let loading: Promise<EIP1193Provider> | undefined;
  const open = () => {
    loading ??= import("./devWalletProvider.ts").then((made) => made.createDevWalletProvider(network));
    return loading;
  };
  // Every page looks at every wallet's provider, to see who is connected: keys and signing are loaded with the first question.
  const provider = {
    request: async (question: never) => (await open()).request(question),
    on: () => {},
    removeListener: () => {},
  } as unknown as EIP1193Provider;
  return createConnector<EIP1193Provider>((config) => ({
    id: DEV_WALLET_ID,
    name: DEV_WALLET_NAME,
    type: "development",
    icon,
    rkDetails: listing,
    connect: (async ({ withCapabilities }: { withCapabilities?: boolean } = {}) => {
      const wallet = await open();
      const accounts = (await wallet.request({ method: "eth_requestAccounts" })).map((account) => getAddress(account));
      await config.storage?.setItem(`${DEV_WALLET_ID}.connected` as never, true as never);
      return {
        accounts: withCapabilities ? accounts.map((address) => ({ address, capabilities: {} })) : accounts,
        chainId: network.chainId,
      };
    }) as never,
    disconnect: async () => {
      await config.storage?.removeItem(`${DEV_WALLET_ID}.connected` as never);
    },
    getAccounts: async () => (await (await open()).request({ method: "eth_requestAccounts" })).map((account) => getAddress(account)),
    getChainId: async () => network.chainId,
    getProvider: async () => provider,
    isAuthorized: async () => Boolean(await config.storage?.getItem(`${DEV_WALLET_ID}.connected` as never)),
    switchChain: async ({ chainId }) => {
      const chain = config.chains.find(({ id }) => id === chainId);
      if (!chain) throw new Error(`The development wallet knows only chain ${numberToHex(network.chainId)}.`);
      return chain;
    },
    onAccountsChanged: () => {},
    onChainChanged: () => {},
    onDisconnect: () => config.emitter.emit("disconnect"),
  }));
}
