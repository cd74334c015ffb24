/** Text on its way out, held back while it may still turn into a stop sequence. */
export interface StopSequences {
  /** The text that may go out now. After `stopped` nothing more may follow. */
  push(text: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back when the answer ends by itself. */
  rest(): string;
}

export function createStopSequences(stops: readonly string[]): StopSequences {
  let held = "";
  return {
    push(text) {
      held += text;
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at >= 0);
      if (found.length > 0) {
        const out = held.slice(0, Math.min(...found));
        held = "";
        return { text: out, stopped: true };
      }
      const keep = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
      const out = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return { text: out, stopped: false };
    },
    rest() {
      const out = held;
      held = "";
      return out;
    },
  };
}

/** How many characters at the end of `text` are the beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
