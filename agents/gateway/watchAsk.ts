import type { Chain } from "@clawcompute/lib/chain";
import { costDown, formatAmount } from "@clawcompute/lib/money";
import type { Clock } from "@clawcompute/lib/node";
import { createStatusLine, printable, printableText, type Terminal } from "../terminal.ts";
import type { AskObserver } from "./ask.ts";
import { quoteText } from "./report.ts";

export interface ClosingObserver extends AskObserver {
  done?(): void;
}

/** Says nothing: with --json the one object at the end is all. */
export const jsonObserver: ClosingObserver = { quote() {}, opened() {}, requested() {}, text() {}, failed() {}, ending() {} };

const TICK_MS = 100;

/** Tokens to stdout as they come; on stderr the offer before, the cost while the meter runs (on a screen only), and what goes wrong. */
export function terminalObserver(chain: Chain, terminal: Terminal, clock: Clock): ClosingObserver {
  const status = createStatusLine(terminal);
  let ticking: NodeJS.Timeout | undefined;
  let endsWithLine = true;
  const stop = () => {
    clearInterval(ticking);
    status.clear();
    if (!endsWithLine) terminal.out("\n");
    endsWithLine = true;
  };
  return {
    quote: (quote) => terminal.err(quoteText(chain, quote)),
    opened: ({ id }) => terminal.err(`stream ${id} is open\n\n`),
    requested: ({ ratePerSecond, deposit }) => {
      const since = clock.now();
      ticking = setInterval(() => {
        const ms = clock.now() - since;
        const cost = costDown(ratePerSecond, ms);
        const capped = cost < deposit ? cost : deposit;
        status.show(`${(ms / 1000).toFixed(1)} s   ${formatAmount(capped)} ${chain.network.nativeSymbol}`);
      }, TICK_MS);
    },
    text: (text) => {
      const safe = terminal.outIsTty ? printableText(text) : text;
      terminal.out(safe);
      if (safe !== "") endsWithLine = safe.endsWith("\n");
    },
    failed: ({ id }, { code, message }) => {
      stop();
      terminal.err(`provider ${id} failed (${code}): ${printable(message)}\n`);
    },
    ending: ({ id }) => {
      stop();
      terminal.err(`ending stream ${id}\n`);
    },
    done: stop,
  };
}
