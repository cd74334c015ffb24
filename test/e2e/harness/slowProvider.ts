import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryWrites } from "@clawcompute/lib/chain";
import { createWalletClient, http } from "viem";
import { startClaw } from "./processes.ts";
import { runningNetwork } from "./runningNetwork.ts";
import { startSlowModel } from "./slowModel.ts";
import { account, keyOf } from "./world.ts";

export interface SlowProvider {
  readonly id: number;
  readonly model: string;
  readonly url: string;
  readonly pricePerSecond: bigint;
  /** Answers under way at its model. */
  running(): number;
  /** As a power cut would. */
  die(): Promise<void>;
  stop(): Promise<void>;
}

/** One more provider on the running network, whose model says as many words as it is asked for. At the end its offer is taken back. */
export async function startSlowProvider(index: number, model: string): Promise<SlowProvider> {
  const { rpcUrl, chain } = runningNetwork();
  const folder = await mkdtemp(join(tmpdir(), "slow-provider-"));
  const upstream = await startSlowModel();
  const running = startClaw(["provider"], {
    NETWORK: "local",
    RPC_URL: rpcUrl,
    HOME: folder,
    PROVIDER_PRIVATE_KEY: keyOf(index),
    PROVIDER_PORT: "0",
    PROVIDER_HOST: "127.0.0.1",
    DATA_DIR: join(folder, "data"),
    BACKEND: "openai",
    INFERENCE_URL: upstream.url,
    INFERENCE_MODEL: "m",
    MODEL_NAME: model,
    PRICE_PER_SECOND: "0.0002",
  });
  const [, url = "", id = ""] = await running.line(/ready: \S+ at (http:\/\/\S+:\d+) \(provider (\d+),/);
  const pricePerSecond = 200_000_000_000_000n;
  return {
    id: Number(id),
    model,
    url,
    pricePerSecond,
    running: upstream.running,
    die: () => running.kill("SIGKILL"),
    stop: async () => {
      await running.kill("SIGKILL");
      await upstream.stop();
      const owner = createWalletClient({ account: account(index), transport: http(rpcUrl) });
      const call = registryWrites.updateProvider({ id: Number(id), pricePerSecond, endpoint: url, active: false });
      const hash = await owner.writeContract({ ...call, address: chain.network.contracts.registry, chain: null } as never);
      await chain.client.waitForTransactionReceipt({ hash });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
