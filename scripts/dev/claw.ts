import { join } from "node:path";
import { devAccounts } from "@clawcompute/lib/testing";
import type { HDAccount } from "viem";
import { toHex } from "viem";
import { childEnv } from "./childEnv.ts";
import { type Child, type ChildOptions, startChild } from "./children.ts";

export type Where = Pick<ChildOptions, "cwd" | "logsFolder">;

export interface ClawOptions extends Where {
  readonly rpcUrl: string;
}

/** One of `claw`'s long-running commands on the local network. */
export function startClaw(
  name: string,
  command: "provider" | "keeper" | "indexer" | "gateway",
  { rpcUrl, cwd, logsFolder }: ClawOptions,
  settings: Readonly<Record<string, string>>,
): Promise<Child> {
  return startChild({
    name,
    command: process.execPath,
    args: [join(cwd, "agents", "cli.ts"), command],
    env: childEnv({ NETWORK: "local", RPC_URL: rpcUrl, ...settings }),
    cwd,
    logsFolder,
  });
}

export function privateKeyOf(account: number): string {
  const key = (devAccounts[account] as HDAccount).getHdKey().privateKey;
  if (!key) throw new Error(`development account ${account} has no key`);
  return toHex(key);
}
