import type { Health } from "@/queries/health.ts";

const words: Record<Health["state"], { text: string; dot: string; why: string }> = {
  ok: { text: "Ready", dot: "bg-money", why: "answers and has a free place" },
  busy: { text: "Busy", dot: "bg-warn", why: "answers, but every place is taken" },
  draining: { text: "Stopping", dot: "bg-warn", why: "finishes what runs and takes nothing new" },
  mismatch: { text: "Not serving this", dot: "bg-bad", why: "answers, but not for this offer" },
  unreachable: { text: "No answer", dot: "bg-bad", why: "did not answer this page within 5 s" },
  refused: { text: "Not asked", dot: "bg-bad", why: "the endpoint is not one that a page should call" },
};

/** Whether the endpoint answers this browser, and how quickly. */
export function HealthLabel({ health, className = "" }: { health: Health | undefined; className?: string }) {
  if (!health) {
    return (
      <span className={`inline-flex items-center gap-2 text-soft ${className}`}>
        <span aria-hidden="true" className="size-2 animate-pulse rounded-full bg-line-strong" />
        Asking…
      </span>
    );
  }
  const { text, dot, why } = words[health.state];
  return (
    <span className={`inline-flex items-center gap-2 ${className}`} title={`The provider ${why}.`}>
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${dot}`} />
      <span>
        {text}
        {"latencyMs" in health && <span className="text-soft tabular-nums">, {Math.max(1, Math.round(health.latencyMs))} ms</span>}
      </span>
    </span>
  );
}
