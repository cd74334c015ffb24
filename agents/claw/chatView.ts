import type { Chain } from "@clawcompute/lib/chain";
import { costDown, formatAmount } from "@clawcompute/lib/money";
import type { Clock } from "@clawcompute/lib/node";
import { quoteText } from "../gateway/report.ts";
import { createStatusLine, printable, printableText, type Terminal } from "../terminal.ts";
import type { Conversation, Turn } from "./conversation.ts";
import type { ConversationObserver } from "./conversationTerms.ts";
import type { ConversationState } from "./openStream.ts";

export interface ChatView extends ConversationObserver {
  /** The answer is over, whatever it was. */
  rest(): void;
}

const TICK_MS = 100;

/** Answers to stdout as they come; prices, the running cost (on a screen only) and what goes wrong to stderr. */
export function chatView(chain: Chain, terminal: Terminal, clock: Clock): ChatView {
  const status = createStatusLine(terminal);
  const coins = (wei: bigint) => `${formatAmount(wei)} ${chain.network.nativeSymbol}`;
  let ticking: NodeJS.Timeout | undefined;
  let endsWithLine = true;
  const rest = () => {
    clearInterval(ticking);
    status.clear();
    if (!endsWithLine) terminal.out("\n");
    endsWithLine = true;
  };
  return {
    rest,
    quote: (quote) => terminal.err(quoteText(chain, quote)),
    opened: ({ id }) => terminal.err(`stream ${id} is open\n`),
    toppedUp: ({ id }, seconds) => {
      if (!terminal.errIsTty) terminal.err(`stream ${id} got ${seconds} s more\n`);
    },
    requested: ({ ratePerSecond }) => {
      const since = clock.now();
      ticking = setInterval(() => {
        const ms = clock.now() - since;
        status.show(`${(ms / 1000).toFixed(1)} s   ${coins(costDown(ratePerSecond, ms))}   Ctrl-C cuts the answer`);
      }, TICK_MS);
    },
    text: (text) => {
      const safe = terminal.outIsTty ? printableText(text) : text;
      terminal.out(safe);
      if (safe !== "") endsWithLine = safe.endsWith("\n");
    },
    failed: ({ id }, { code, message }) => {
      rest();
      terminal.err(`provider ${id} failed (${code}): ${printable(message)}\n`);
    },
    receipt() {},
    ending: ({ id }) => {
      rest();
      terminal.err(`ending stream ${id}\n`);
    },
    ended: ({ id }, { bill: { paidWei, refundedWei } }) =>
      terminal.err(`stream ${id} cost ${coins(paidWei)}; ${coins(refundedWei)} came back\n`),
  };
}

/** Under each answer. */
export function turnText(chain: Chain, { costWei, signed, offer, answer }: Turn, state: ConversationState): string {
  const coins = (wei: bigint) => `${formatAmount(wei)} ${chain.network.nativeSymbol}`;
  const ms = signed?.receipt.servedMs ?? answer?.measuredMs ?? 0;
  const about = signed ? "" : "at most ";
  return `[provider ${offer.id}, ${(ms / 1000).toFixed(3)} s, ${about}${coins(costWei)}; so far ${coins(state.spentWei)}]\n`;
}

/** For /cost. */
export function costText(chain: Chain, conversation: Conversation): string {
  const { open, spentWei, feeWei } = conversation.state();
  const coins = (wei: bigint) => `${formatAmount(wei)} ${chain.network.nativeSymbol}`;
  const rows = [
    `answers  ${coins(spentWei)}`,
    `gas      ${coins(feeWei)} for streams that have ended`,
    open
      ? `stream   ${open.id} to provider ${open.offer.id}: ${coins(open.ratePerSecond)} a second, ${coins(open.depositWei)} deposited, lasts ${Math.floor(open.runwayMs() / 1000)} s`
      : "stream   none is open",
  ];
  return `${rows.join("\n")}\n`;
}
