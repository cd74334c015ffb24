import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";

/** How long each part of an answer may take, in ms. */
export interface UpstreamTimeouts {
  /** From the start until the connection stands. */
  readonly connectMs: number;
  /** From the start until the status line and the headers are there. */
  readonly headersMs: number;
  /** From the start until the first chunk that carries something. */
  readonly firstTokenMs: number;
  /** Silence between two pieces of an answer. */
  readonly stallMs: number;
}

/** Wide, because the provider has limits of its own for chat, and images and long transcriptions take their time. */
export const defaultTimeouts: UpstreamTimeouts = { connectMs: 5_000, headersMs: 300_000, firstTokenMs: 300_000, stallMs: 300_000 };

/** Watches one answer on the injected clock and reports, once, the first limit that passed. */
export interface UpstreamWatch {
  connected(): void;
  headers(): void;
  /** Something arrived, whatever it is. */
  heard(): void;
  firstToken(): void;
  done(): void;
}

type Phase = "connect" | "headers" | "firstToken" | "stall";
const silentFor: Record<Phase, string> = {
  connect: "could not be reached",
  headers: "did not begin to answer",
  firstToken: "sent no first token",
  stall: "fell silent in the middle of its answer",
};

export function watchUpstream(clock: Clock, timeouts: UpstreamTimeouts, onExpired: (error: AppError) => void): UpstreamWatch {
  const startedAt = clock.now();
  const due = new Map<Phase, number>([
    ["connect", startedAt + timeouts.connectMs],
    ["headers", startedAt + timeouts.headersMs],
    ["firstToken", startedAt + timeouts.firstTokenMs],
  ]);
  let over = false;
  let sleeping: { readonly untilMs: number; readonly wake: AbortController } | undefined;

  /** A limit that was met leaves its sleep as it is: whoever wakes too early looks again. */
  function sleepUntilDue(): void {
    const next = Math.min(...due.values());
    if (over || due.size === 0 || (sleeping && sleeping.untilMs <= next)) return;
    sleeping?.wake.abort("earlier");
    const own = { untilMs: next, wake: new AbortController() };
    sleeping = own;
    clock.sleep(Math.max(0, next - clock.now()), own.wake.signal).then(look, () => {});
    function look() {
      if (sleeping !== own || over) return;
      sleeping = undefined;
      const late = [...due].find(([, at]) => at <= clock.now());
      if (!late) return sleepUntilDue();
      over = true;
      const [phase] = late;
      onExpired(
        new AppError("UPSTREAM_TIMEOUT", `The model behind this provider ${silentFor[phase]}.`, {
          facts: { limit: `${phase}Ms`, ms: timeouts[`${phase}Ms`] },
        }),
      );
    }
  }

  sleepUntilDue();
  return {
    connected: () => void due.delete("connect"),
    headers: () => {
      due.set("stall", clock.now() + timeouts.stallMs);
      due.delete("connect");
      due.delete("headers");
      sleepUntilDue();
    },
    heard: () => {
      if (due.has("stall")) due.set("stall", clock.now() + timeouts.stallMs);
    },
    firstToken: () => void due.delete("firstToken"),
    done: () => {
      over = true;
      sleeping?.wake.abort("over");
    },
  };
}

/** For asking whether a server is there at all. */
export const checkTimeouts: UpstreamTimeouts = { connectMs: 5_000, headersMs: 10_000, firstTokenMs: 10_000, stallMs: 10_000 };
