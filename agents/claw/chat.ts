import { AppError } from "@clawcompute/lib/errors";
import { formatAmount, parseAmount } from "@clawcompute/lib/money";
import { steadyClock } from "@clawcompute/lib/node";
import { type ChatRequest, encodeSignedReceipt } from "@clawcompute/lib/protocol";
import { type CommandContext, errorLine, errorReport } from "../command.ts";
import { exitCodeOf, exitCodes } from "../exitCodes.ts";
import { readConfig } from "../gateway/config.ts";
import { connectWallet } from "../gateway/connectWallet.ts";
import type { Wanted } from "../gateway/discovery.ts";
import { parseModelName } from "../gateway/selection/modelName.ts";
import { printable } from "../terminal.ts";
import type { ChatInput } from "./chatInput.ts";
import { chatView, costText, turnText } from "./chatView.ts";
import type { Turn } from "./conversation.ts";
import type { ConversationObserver } from "./conversationTerms.ts";
import { receiptKeeper } from "./journal.ts";
import { openConversation } from "./openConversation.ts";

export interface ChatFlags {
  readonly model?: string;
  readonly provider?: string;
  readonly maxSpend?: string;
  readonly maxPrice?: string;
  readonly seconds?: string;
  readonly system?: string;
}

const help = `/model NAME   another model: a name, NAME@PROVIDER, or auto for the cheapest
/cost         what the conversation has cost so far
/stop         end the stream now; the next question opens another one
/new          forget what was said
/help         this list
/quit         settle and leave, as Ctrl-D does
Ctrl-C cuts an answer; what was not served is not paid.
`;

/** `claw chat`: returns the exit code. */
export async function chatMain(flags: ChatFlags, context: CommandContext, openInput: () => ChatInput): Promise<number> {
  const { env, terminal, signal, json } = context;
  const config = readConfig(env);
  const seconds = wholeSeconds(flags.seconds);
  const wallet = await connectWallet(config, env);
  const { chain } = wallet;
  const view = json ? undefined : chatView(chain, terminal, steadyClock);
  const keep = receiptKeeper(chain, env, terminal.err);
  const opened = openConversation({
    config,
    wallet,
    observer: { ...(view ?? silent), receipt: keep },
    maxSpend: flags.maxSpend === undefined ? config.maxDeposit : parseAmount(flags.maxSpend, 18, "max-spend"),
    seconds: seconds ?? config.depositSeconds,
    exactSeconds: seconds !== undefined,
  });
  const { conversation } = opened;
  const maxPrice = flags.maxPrice === undefined ? config.maxPrice : parseAmount(flags.maxPrice, 18, "max-price");
  const messages: ChatRequest["messages"] = [];
  const forget = () => {
    messages.splice(0);
    if (flags.system !== undefined) messages.push({ role: "system", content: flags.system });
  };
  forget();
  let wanted = wantedOf(flags.model ?? "auto", flags.provider, maxPrice);
  // Not before the wallet is unlocked: both read from the same terminal.
  const input = openInput();
  let failure: AppError | undefined;
  let answering: AbortController | undefined;
  const leaving = new AbortController();
  input.onInterrupt(() => {
    if (answering) answering.abort(new DOMException("cut", "AbortError"));
    else leaving.abort();
  });
  const over = AbortSignal.any([signal, leaving.signal]);
  if (view && input.isTty) terminal.err(`Ask something; /help lists the commands. At most ${spendLimit()} will be spent.\n`);

  function spendLimit(): string {
    const most = flags.maxSpend === undefined ? config.maxDeposit : parseAmount(flags.maxSpend, 18, "max-spend");
    return `${formatAmount(most)} ${chain.network.nativeSymbol}`;
  }

  async function ask(text: string): Promise<void> {
    messages.push({ role: "user", content: text });
    const cut = new AbortController();
    answering = cut;
    try {
      const turn = await conversation.send(messages, wanted, { signal: AbortSignal.any([signal, cut.signal]) });
      view?.rest();
      const said = turn.answer?.text ?? "";
      if (said === "") messages.pop();
      else messages.push({ role: "assistant", content: said });
      // Cutting an answer is the person's own wish.
      failure = turn.failure?.code === "ABORTED" ? undefined : turn.failure;
      if (json) terminal.out(`${JSON.stringify(turnReport(turn))}\n`);
      else {
        if (failure) terminal.err(errorLine(failure));
        terminal.err(turnText(chain, turn, conversation.state()));
      }
    } catch (thrown) {
      view?.rest();
      messages.pop();
      report(AppError.from(thrown));
    } finally {
      answering = undefined;
    }
  }

  function report(error: AppError): void {
    failure = error;
    if (json) terminal.out(`${JSON.stringify({ error: errorReport(error) })}\n`);
    else terminal.err(errorLine(error));
  }

  /** False: leave. */
  async function command(line: string): Promise<boolean> {
    const [, name = "", rest = ""] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
    switch (name) {
      case "quit":
      case "exit":
        return false;
      case "stop":
        if (!conversation.state().open) terminal.err("No stream is open.\n");
        await conversation.end();
        return true;
      case "cost":
        terminal.err(costText(chain, conversation));
        return true;
      case "new":
        forget();
        terminal.err("Forgotten.\n");
        return true;
      case "model":
        if (rest === "") terminal.err(`${describe(wanted)}\n`);
        else {
          wanted = wantedOf(rest, undefined, maxPrice);
          terminal.err(`From now on ${describe(wanted)}.\n`);
        }
        return true;
      case "help":
        terminal.err(help);
        return true;
      default:
        terminal.err(`There is no command /${printable(name)}; /help lists them.\n`);
        return true;
    }
  }

  const watching = setInterval(() => {
    if (!answering) conversation.tick().catch((thrown: unknown) => report(AppError.from(thrown)));
  }, IDLE_TICK_MS);
  try {
    for (let line = await input.line("> ", over); line !== undefined; line = await input.line("> ", over)) {
      const text = line.trim();
      if (text === "") continue;
      try {
        if (text.startsWith("/")) {
          if (!(await command(text))) break;
        } else await ask(text);
      } catch (thrown) {
        report(AppError.from(thrown));
      }
      if (over.aborted) break;
    }
  } finally {
    clearInterval(watching);
    // A second Ctrl-C while the stream is being ended is the process's affair.
    input.close();
    try {
      await conversation.end();
    } catch (thrown) {
      report(AppError.from(thrown));
    }
    opened.close();
  }
  const { spentWei, feeWei, endings } = conversation.state();
  if (json) {
    const transactions = opened.transactions.map(({ kind, streamId, sent }) => ({ kind, streamId: String(streamId), hash: sent.hash }));
    terminal.out(
      `${JSON.stringify({ bill: { paidWei: String(spentWei), gasFeeWei: String(feeWei), streams: endings.length, transactions } })}\n`,
    );
  } else if (endings.length > 0) {
    const { nativeSymbol } = chain.network;
    terminal.err(`The conversation cost ${formatAmount(spentWei)} ${nativeSymbol} and ${formatAmount(feeWei)} ${nativeSymbol} of gas.\n`);
  }
  if (signal.aborted) return exitCodes.interrupted;
  return failure && !input.isTty ? exitCodeOf(failure) : exitCodes.done;
}

const IDLE_TICK_MS = 1_000;

const silent: ConversationObserver = {
  quote() {},
  opened() {},
  toppedUp() {},
  requested() {},
  text() {},
  failed() {},
  receipt() {},
  ending() {},
  ended() {},
};

/** `name`, `name@providerId` or `auto`. Throws BAD_REQUEST. */
export function wantedOf(name: string, provider: string | undefined, maxPrice: bigint | undefined): Wanted {
  if (provider !== undefined && !/^[1-9]\d{0,9}$/.test(provider)) {
    throw new AppError("BAD_REQUEST", "provider must be a whole number.", { param: "provider", hint: "`claw providers` lists the ids." });
  }
  const { model, providerId } = parseModelName(name);
  return { model, providerId: provider === undefined ? providerId : Number(provider), maxPrice };
}

const describe = ({ model, providerId }: Wanted): string =>
  `${model === undefined ? "any model" : printable(model)}${providerId === undefined ? ", cheapest first" : ` of provider ${providerId}`}`;

/** One line of `claw chat --json` for each answer. */
export const turnReport = ({ offer, streamId, answer, signed, costWei, failure, attempts }: Turn) => ({
  answer: answer?.text ?? "",
  model: offer.model,
  providerId: offer.id,
  streamId,
  finishReason: answer?.finishReason ?? null,
  truncated: failure !== undefined,
  servedMs: signed?.receipt.servedMs ?? null,
  costWei: String(costWei),
  receipt: signed ? encodeSignedReceipt(signed) : null,
  attempts,
  ...(failure ? { error: errorReport(failure) } : {}),
});

function wholeSeconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (number >= 10 && number <= 86_400) return number;
  throw new AppError("BAD_REQUEST", "seconds must be a whole number from 10 to 86400.", { param: "seconds", hint: "Correct --seconds." });
}
