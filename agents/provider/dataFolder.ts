import { homedir } from "node:os";
import { join } from "node:path";

/** Where the embedded store is. Undefined: in memory, because a port that the system chooses names no provider. */
export function dataFolder({
  dataDir,
  listenPort,
}: {
  readonly dataDir: string | undefined;
  readonly listenPort: number;
}): string | undefined {
  if (dataDir === undefined && listenPort === 0) return undefined;
  return dataDir ?? join(homedir(), ".clawcompute", `provider-${listenPort}`);
}

/** Names the wallet's lock on a PostgreSQL server; above the ids of chains, which lock their indexers' writers. */
export const walletKey = (owner: string): number => 0x4000_0000 + Number.parseInt(owner.slice(2, 9), 16);
