// Stock @x402/hono with a facilitator in the same process, in front of the model server. Prints its port.
import { serve } from "@hono/node-server";
import { x402Facilitator } from "@x402/core/facilitator";
import { x402ResourceServer } from "@x402/core/server";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme as FacilitatorScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmScheme as ServerScheme } from "@x402/evm/exact/server";
import { paymentMiddleware } from "@x402/hono";
import { Hono } from "hono";
import { createWalletClient, http, publicActions } from "viem";
import { mnemonicToAccount, nonceManager } from "viem/accounts";
import { foundry } from "viem/chains";

const [upstream, rpcUrl, token, relayerIndex] = process.argv.slice(2);
const account = mnemonicToAccount("test test test test test test test test test test test junk", {
  addressIndex: Number(relayerIndex),
  nonceManager,
});
const wallet = createWalletClient({ account, chain: foundry, transport: http(rpcUrl), pollingInterval: 50 }).extend(publicActions);
const network = "eip155:31337";
const facilitator = new x402Facilitator().register(
  network,
  new FacilitatorScheme(toFacilitatorEvmSigner({ ...wallet, address: account.address }, { confirmationTimeoutMs: 15_000 })),
);
const local = {
  verify: (payload, requirements) => facilitator.verify(payload, requirements),
  settle: (payload, requirements) => facilitator.settle(payload, requirements),
  getSupported: async () => facilitator.getSupported(),
};
const app = new Hono();
app.use(
  paymentMiddleware(
    {
      "POST /v1/chat/completions": {
        accepts: {
          scheme: "exact",
          network,
          payTo: account.address,
          price: { asset: token, amount: "1000", extra: { name: "Bench USD", version: "1" } },
          maxTimeoutSeconds: 60,
        },
        description: "chat completion",
        mimeType: "text/event-stream",
      },
    },
    new x402ResourceServer(local).register(network, new ServerScheme()),
  ),
);
app.post("/v1/chat/completions", async (c) => {
  const answer = await fetch(`http://127.0.0.1:${upstream}/v1/chat/completions`, { method: "POST", body: await c.req.text() });
  return new Response(answer.body, { headers: { "content-type": "text/event-stream" } });
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(`port ${port}`));
