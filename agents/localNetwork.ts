import { readFileSync } from "node:fs";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where the network of `npm start` has its chain, when it runs and nothing names another one: it takes another port than the usual
 * one where that is taken. `path` is its network.json.
 */
export function localRpcUrl(env: Env, path: string): string | undefined {
  if (env.RPC_URL?.trim() || env.BSC_TESTNET_RPC?.trim() || (env.NETWORK?.trim() || "local") !== "local") return undefined;
  try {
    const { status, rpcUrl, launcherPid } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (status !== "ready" || typeof rpcUrl !== "string" || typeof launcherPid !== "number") return undefined;
    process.kill(launcherPid, 0);
    return rpcUrl;
  } catch {
    return undefined;
  }
}
