// The chain of the local network as a process of its own: node scripts/dev/chainProcess.ts PORT [STATE_FILE]
// Tells its parent when the contracts are there; ends with it.
import { AppError } from "@clawcompute/lib/errors";
import { type LocalChain, startLocalChain } from "@clawcompute/lib/testing";

const [port = "0", statePath] = process.argv.slice(2);

export interface ChainReady {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly engine: string;
  readonly pid: number;
  /** The chain keeps nothing over a restart. */
  readonly forgets: boolean;
}
export type ChainMessage = { readonly ready: ChainReady } | { readonly failed: { readonly code: string; readonly message: string } };

const tell = (message: ChainMessage) => new Promise<void>((resolve) => process.send?.(message, () => resolve()));

async function start(): Promise<{ chain: LocalChain; forgets: boolean }> {
  try {
    return { chain: await startLocalChain({ port: Number(port), ...(statePath ? { statePath } : {}) }), forgets: !statePath };
  } catch (thrown) {
    // Hardhat's node, where there is no anvil, cannot keep a state.
    if (!statePath || AppError.from(thrown).code !== "UNSUPPORTED") throw thrown;
    return { chain: await startLocalChain({ port: Number(port) }), forgets: true };
  }
}

try {
  const { chain, forgets } = await start();
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await chain.stop();
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  process.on("disconnect", stop);
  chain.exited.then((code) => {
    if (stopping) return;
    console.error(`the chain ended with code ${code}`);
    process.exit(1);
  });
  const { rpcUrl, engine, pid, network } = chain;
  await tell({ ready: { rpcUrl, chainId: network.chainId, engine, pid, forgets } });
} catch (thrown) {
  const { code, message, facts } = AppError.from(thrown);
  console.error(`${code}: ${message}`, facts, thrown);
  await tell({ failed: { code, message } });
  process.exit(1);
}
