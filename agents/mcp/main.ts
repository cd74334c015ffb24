import { readSettings } from "@clawcompute/lib/config/env";
import { AppError } from "@clawcompute/lib/errors";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { settings } from "../claw/config.ts";
import type { ConversationObserver } from "../claw/conversationTerms.ts";
import { receiptKeeper } from "../claw/journal.ts";
import { openConversation } from "../claw/openConversation.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exitCodes.ts";
import { readConfig } from "../gateway/config.ts";
import { connectWallet } from "../gateway/connectWallet.ts";
import { stopMain } from "../gateway/main.ts";
import { createMcpServer } from "./server.ts";

const TICK_MS = 1_000;

/** `claw mcp`: serves until its client goes or a signal comes; ends what is open. */
export async function mcpMain({ env, signal, terminal }: CommandContext): Promise<number> {
  const config = readConfig(env);
  const { mcpMaxSpend: maxSpend } = readSettings(settings, env);
  const wallet = await connectWallet(config, env);
  const { chain, sender, logger } = wallet;
  const observer: ConversationObserver = {
    quote() {},
    opened() {},
    toppedUp() {},
    requested() {},
    text() {},
    failed() {},
    receipt: receiptKeeper(chain, env, (text) => logger.warn(text)),
    ending() {},
    ended() {},
  };
  const { conversation, close } = openConversation({
    config,
    wallet,
    observer,
    maxSpend,
    seconds: config.depositSeconds,
    exactSeconds: false,
  });
  const server = createMcpServer({
    chain,
    config,
    address: sender.account.address,
    conversation,
    maxSpend,
    stopAll: () => stopEverything(env, signal),
  });
  const gone = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    process.stdin.once("end", resolve).once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const ticking = setInterval(() => {
    conversation.tick().catch((thrown: unknown) => logger.error({ err: thrown }, "the open stream could not be looked at"));
  }, TICK_MS);
  await server.connect(new StdioServerTransport());
  terminal.err(`claw mcp serves list, quote, infer, status and stop on ${chain.network.name}\n`);
  await gone;
  clearInterval(ticking);
  await conversation.end();
  await server.close();
  close();
  return signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

/** As `claw stop --json`, whose output is the tool's result: standard output itself belongs to the protocol. */
async function stopEverything(env: CommandContext["env"], signal: AbortSignal): Promise<unknown> {
  let out = "";
  const terminal: CommandContext["terminal"] = {
    out: (text) => {
      out += text;
    },
    err() {},
    outIsTty: false,
    errIsTty: false,
    size: () => undefined,
  };
  await stopMain({ env, signal, json: true, terminal });
  try {
    return JSON.parse(out);
  } catch (cause) {
    throw new AppError("INTERNAL", "The streams' end could not be read.", { cause });
  }
}
