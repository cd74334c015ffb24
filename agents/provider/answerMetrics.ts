import type { Clock, Metrics } from "@clawcompute/lib/node";
import type { Receipt } from "@clawcompute/lib/protocol";

export type AnswerMetrics = ReturnType<typeof createAnswerMetrics>;

/** Numbers about answers; never anything of what was asked or answered. */
export function createAnswerMetrics(metrics: Metrics) {
  const answers = metrics.counter("answers_total", "Answers by the reason of their ending", ["reason"]);
  const served = metrics.counter("served_seconds_total", "Seconds served and receipted");
  const unitsOut = metrics.counter("units_out_total", "Tokens produced");
  const stopDelay = metrics.histogram("stop_seconds", "From the moment an answer had to stop until its engine had stopped", ["reason"]);
  return {
    running: metrics.gauge("running_answers", "Answers under way"),
    firstToken: metrics.histogram("first_token_seconds", "From the start of work to the first token"),
    ended: (receipt: Receipt, inTokens: boolean) => {
      answers.inc({ reason: receipt.reason });
      served.inc(receipt.servedMs / 1000);
      if (inTokens) unitsOut.inc(receipt.unitsOut);
    },
    /** P9: how fast an engine stops when nobody pays for it any more. */
    observeStop: (reason: string | undefined, clock: Clock, fromMs: number, stopped: Promise<unknown> | undefined) => {
      if (reason === undefined) {
        stopped?.catch(() => {});
        return;
      }
      const observe = () => stopDelay.observe({ reason }, (clock.now() - fromMs) / 1000);
      Promise.resolve(stopped).then(observe, observe);
    },
  };
}
