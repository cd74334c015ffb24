import { readFileSync } from "node:fs";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where the network of `npm start` has its chain, gateway and indexer, as the settings that name them, when it runs and nothing names
 * another one: its parts take other ports than the usual ones where those are taken. `path` is its network.json.
 */
export function localNetworkEnv(env: Env, path: string): Readonly<Record<string, string>> {
  const isSet = (name: string) => Boolean(env[name]?.trim());
  if (isSet("RPC_URL") || isSet("BSC_TESTNET_RPC") || (env.NETWORK?.trim() || "local") !== "local") return {};
  try {
    const { status, rpcUrl, launcherPid, urls } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (status !== "ready" || typeof rpcUrl !== "string" || typeof launcherPid !== "number") return {};
    process.kill(launcherPid, 0);
    const { gateway, indexer } = (urls ?? {}) as Record<string, unknown>;
    return {
      RPC_URL: rpcUrl,
      ...(typeof gateway === "string" && !isSet("GATEWAY_URL") && !isSet("GATEWAY_PORT") ? { GATEWAY_URL: gateway } : {}),
      ...(typeof indexer === "string" && !isSet("INDEXER_URL") ? { INDEXER_URL: indexer } : {}),
    };
  } catch {
    return {};
  }
}
