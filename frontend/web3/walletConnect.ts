import { connectorsForWallets } from "@rainbow-me/rainbowkit";
import { walletConnectWallet } from "@rainbow-me/rainbowkit/wallets";
import type { Config } from "wagmi";
import { reconnect } from "wagmi/actions";

/** Lists WalletConnect beside the wallets of this browser. Once is enough; more does nothing. */
export function addWalletConnect(config: Config, projectId: string, options: { reconnect?: boolean } = {}): void {
  if (config.connectors.some(({ type }) => type === "walletConnect")) return;
  const created = connectorsForWallets([{ groupName: "On another device", wallets: [walletConnectWallet] }], {
    appName: "ClawCompute",
    projectId,
  });
  const connectors = created.map((create) => config._internal.connectors.setup(create));
  config._internal.connectors.setState((known) => [...known, ...connectors]);
  if (options.reconnect) void reconnect(config, { connectors });
}
