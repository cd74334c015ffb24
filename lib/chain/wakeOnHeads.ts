import type { ChainClock, ChainLogger } from "./ports.ts";

export interface WakeOptions {
  readonly wsUrl: string;
  /** Called for each new block. */
  readonly wake: () => void;
  readonly clock: ChainClock;
  readonly signal: AbortSignal;
  readonly logger: ChainLogger;
}

const reopenAfterMs = 2_000;

/** Listens for new blocks until the signal aborts. Only a bell: what a broken connection leaves out is found by asking, as without it. */
export function wakeOnHeads(options: WakeOptions): void {
  const { wsUrl, wake, clock, signal, logger } = options;
  if (signal.aborted) return;
  const socket = new WebSocket(wsUrl);
  const close = () => socket.close();
  signal.addEventListener("abort", close, { once: true });
  socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  socket.onmessage = () => wake();
  socket.onclose = () => {
    signal.removeEventListener("abort", close);
    if (signal.aborted) return;
    logger.debug({}, "the announcements of new blocks broke off");
    clock.sleep(reopenAfterMs, signal).then(
      () => wakeOnHeads(options),
      () => {},
    );
  };
  // A close event follows each error and does what is to do.
  socket.onerror = () => {};
}
