import { type Chain, listActiveOffers } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costUp, formatAmount } from "@clawcompute/lib/money";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { ToolAnnotations } from "@modelcontextprotocol/sdk/types.js";
import { type Address, zeroAddress } from "viem";
import { z } from "zod";
import { turnReport, wantedOf } from "../claw/chat.ts";
import type { Conversation } from "../claw/conversation.ts";
import { errorReport } from "../command.ts";
import type { GatewayConfig } from "../gateway/config.ts";
import { findOffers } from "../gateway/discovery.ts";
import { planDeposit } from "../gateway/quote.ts";
import { offerReport } from "../gateway/report.ts";

export interface ServerOptions {
  readonly chain: Chain;
  readonly config: GatewayConfig;
  readonly address: Address;
  readonly conversation: Conversation;
  /** What one run may spend, raw units. */
  readonly maxSpend: bigint;
  /** Ends every open stream of the wallet, also those of earlier runs. */
  readonly stopAll: () => Promise<unknown>;
}

const model = z
  .string()
  .min(1)
  .max(80)
  .optional()
  .describe("a model's name, NAME@PROVIDER for one provider, or auto for the cheapest (default)");
const maxPrice = z
  .string()
  .regex(/^\d{1,30}$/)
  .optional()
  .describe("most that a second may cost, in wei");

/** The market as five tools. Text of providers is passed on as what it is: text of strangers. */
export function createMcpServer(options: ServerOptions): McpServer {
  const { chain, config, address, conversation, maxSpend } = options;
  const { network } = chain;
  const server = new McpServer(
    { name: "clawcompute", version: "0.1.0" },
    {
      instructions: `Buys AI inference by the second on ${network.name}, at most ${formatAmount(maxSpend)} ${network.nativeSymbol} in this run.`,
    },
  );
  const wanted = (name: string | undefined, price: string | undefined) =>
    wantedOf(name ?? "auto", undefined, price === undefined ? config.maxPrice : BigInt(price));
  const reading = { readOnlyHint: true, openWorldHint: true };

  addTool(
    server,
    "list",
    {
      title: "List providers",
      description: "Active providers with model and price per second, cheapest first. Costs nothing.",
      input: { model: z.string().min(1).max(64).optional().describe("only this model") },
      annotations: reading,
    },
    async ({ model }) => {
      const offers = await listActiveOffers(chain, { asset: zeroAddress, ...(model === undefined ? {} : { model }) });
      return { network: network.name, symbol: network.nativeSymbol, providers: offers.map(offerReport) };
    },
  );

  addTool(
    server,
    "quote",
    {
      title: "Quote a price",
      description: "What an answer of about so many seconds would cost, and the most that can be lost. Costs nothing.",
      input: {
        model,
        maxPriceWei: maxPrice,
        seconds: z.int().min(1).max(3_600).optional().describe("expected length of the answer (default: 10)"),
      },
      annotations: reading,
    },
    async ({ model, maxPriceWei, seconds = 10 }) => {
      const [offer] = await findOffers(chain, wanted(model, maxPriceWei));
      if (!offer) throw new AppError("NO_PROVIDER", "No provider offers this.");
      const spent = conversation.state().spentWei;
      const firstTokenMs = config.firstTokenSeconds * 1000;
      const quote = planDeposit(chain, offer, { maxSpend, spent, seconds: config.depositSeconds, exactSeconds: false, firstTokenMs });
      return {
        providerId: offer.id,
        model: offer.model,
        pricePerSecondWei: String(offer.pricePerSecond),
        expectedCostWei: String(costUp(offer.pricePerSecond, seconds * 1000)),
        depositWei: String(quote.depositWei),
        worstCaseLossWei: String(quote.worstCaseLossWei),
        symbol: network.nativeSymbol,
      };
    },
  );

  addTool(
    server,
    "infer",
    {
      title: "Ask a model",
      description: "Asks a model and pays for the seconds it works. The stream stays open for the next question; stop ends it.",
      input: {
        prompt: z.string().min(1).max(1_000_000),
        system: z.string().max(100_000).optional().describe("instructions that go before the prompt"),
        model,
        maxPriceWei: maxPrice,
        maxTokens: z.int().min(1).max(1_000_000).optional(),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    },
    async ({ prompt, system, model, maxPriceWei, maxTokens }, signal) => {
      const messages = [...(system === undefined ? [] : [{ role: "system", content: system }]), { role: "user", content: prompt }];
      const turn = await conversation.send(messages, wanted(model, maxPriceWei), { signal, maxTokens });
      if (turn.failure && (turn.answer?.text ?? "") === "") throw turn.failure;
      return { ...turnReport(turn), spentWei: String(conversation.state().spentWei) };
    },
  );

  addTool(
    server,
    "status",
    {
      title: "Balance and spending",
      description: "The wallet's balance, what this run spent, and the open stream. Costs nothing.",
      input: {},
      annotations: reading,
    },
    async () => {
      const { open, spentWei, feeWei, endings } = conversation.state();
      return {
        network: network.name,
        symbol: network.nativeSymbol,
        address,
        balanceWei: String(await chain.client.getBalance({ address })),
        spentWei: String(spentWei),
        gasFeeWei: String(feeWei),
        limitWei: String(maxSpend),
        endedStreams: endings.length,
        openStream: open
          ? {
              streamId: open.id,
              providerId: open.offer.id,
              model: open.offer.model,
              depositWei: String(open.depositWei),
              runwaySeconds: Math.floor(open.runwayMs() / 1000),
            }
          : null,
      };
    },
  );

  addTool(
    server,
    "stop",
    {
      title: "End all streams",
      description: "Ends every open stream of the wallet now; what was not served comes back.",
      input: {},
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    },
    async () => {
      await conversation.end();
      return options.stopAll();
    },
  );
  return server;
}

interface Tool<S extends z.ZodRawShape> {
  readonly title: string;
  readonly description: string;
  readonly input: S;
  readonly annotations: ToolAnnotations;
}

function addTool<S extends z.ZodRawShape>(
  server: McpServer,
  name: string,
  { input, ...rest }: Tool<S>,
  work: (args: z.output<z.ZodObject<S>>, signal: AbortSignal) => Promise<unknown>,
): void {
  // The SDK's types come from another release of zod than ours; the schemas themselves are the same to it.
  const untyped = server as unknown as {
    registerTool(name: string, config: object, handle: (args: z.output<z.ZodObject<S>>, extra: { signal: AbortSignal }) => unknown): void;
  };
  untyped.registerTool(name, { ...rest, inputSchema: input }, (args, { signal }) => answering(() => work(args, signal)));
}

/** Errors are results that a model can read and act on, with their stable code and hint. */
async function answering(work: () => Promise<unknown>) {
  try {
    return { content: [{ type: "text" as const, text: JSON.stringify(await work()) }] };
  } catch (thrown) {
    return { isError: true, content: [{ type: "text" as const, text: JSON.stringify({ error: errorReport(AppError.from(thrown)) }) }] };
  }
}
