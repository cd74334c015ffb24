import { dashboardSettings } from "@clawcompute/lib/config/dashboard";
import { networkSettings } from "@clawcompute/lib/config/network";
import { settings as gatewaySettings } from "../../agents/gateway/config.ts";
import { settings as keeperSettings } from "../../agents/keeper/config.ts";
import { settings as providerSettings } from "../../agents/provider/config.ts";
import { settings as walletSettings } from "../../agents/wallet/config.ts";

const everySetting = [networkSettings, dashboardSettings, providerSettings, keeperSettings, gatewaySettings, walletSettings].flatMap(
  (settings) => Object.values(settings).map(({ name }) => name),
);

/**
 * The environment of a part: only the settings named here count. All others are there and empty, which means their default, so
 * that neither the shell nor the checkout's .env (meant for real networks and real keys) reaches the local network.
 */
export function childEnv(settings: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const unset = Object.fromEntries(everySetting.map((name) => [name, ""]));
  return { ...process.env, ...unset, ...settings };
}
