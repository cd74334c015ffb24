import { type RunningProcess, startClaw } from "./processes.ts";
import { keyOf, type World } from "./world.ts";

export interface GatewayProcess extends RunningProcess {
  readonly url: string;
  /** What it says about itself. */
  status(): Promise<GatewayStatus>;
  /** One of its metrics, labels included as they are printed; 0 while it was never counted. */
  metric(name: string): Promise<number>;
}

export interface GatewayStatus {
  readonly streams: readonly { readonly kind: string; readonly streamId: string; readonly providerId: number; readonly requests: number }[];
  readonly spending: { readonly heldWei: string; readonly totalWei: string };
}

export const GATEWAY_ACCOUNT = 6;

/** `claw gateway` on a free port of a story's world; the story ends it. Without GATEWAY_DATA_DIR its books are kept in memory. */
export async function startGatewayProcess(world: World, env: Record<string, string> = {}): Promise<GatewayProcess> {
  const running = startClaw(["gateway", "--port", "0"], {
    NETWORK: "local",
    RPC_URL: world.chain.rpcUrl,
    HOME: world.folder,
    PRIVATE_KEY: keyOf(GATEWAY_ACCOUNT),
    ...env,
  });
  const [, url = ""] = await running.line(/gateway at (http:\/\/[\d.]+:\d+)\/v1/);
  const owner = env.GATEWAY_TOKEN === undefined ? undefined : { headers: { authorization: `Bearer ${env.GATEWAY_TOKEN}` } };
  return {
    ...running,
    url,
    status: async () => (await fetch(`${url}/gateway/status`, owner)).json() as Promise<GatewayStatus>,
    metric: async (name) => {
      const text = await (await fetch(`${url}/metrics`, owner)).text();
      const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
      return Number(line?.split(" ")[1] ?? 0);
    },
  };
}
