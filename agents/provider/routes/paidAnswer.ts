import { createHash, randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { problemResponse } from "@clawcompute/lib/node";
import { type EndReason, encodeSignedReceipt, headers, type SignedReceipt } from "@clawcompute/lib/protocol";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Payer } from "../admission.ts";
import { runAnswer, type Sink } from "../answer.ts";
import type { WorkContext } from "../answers/chunkWork.ts";
import type { Body, Work } from "../answers/work.ts";
import { type Asked, assertCaps } from "../caps.ts";
import type { ProviderContext } from "../context.ts";
import type { PaymentNotes } from "../payments/payments.ts";
import { createEventStream, goneSignal } from "./eventStream.ts";
import type { RouteContext } from "./handler.ts";

export interface PaidAnswer<W extends Work> {
  readonly payer: Payer;
  readonly asked: Asked;
  readonly streamed: boolean;
  readonly work: (context: WorkContext) => W;
  /** Another body than the work's own. */
  readonly compose?: (work: W) => Body | undefined;
}

/** From an accepted request to its receipt. The same for every route that answers. */
export async function payAndAnswer<W extends Work>(context: ProviderContext, c: RouteContext, paid: PaidAnswer<W>): Promise<Response> {
  const { payer } = paid;
  const { admission, clock } = context;
  const { readingMs } = assertCaps(payer.offer.caps, paid.asked);
  admission.assertServing(payer);
  admission.assertRunway(payer, readingMs);
  // The stream's last answer keeps others out until its receipt, with the settlement, is signed.
  // Channels and balances need no settlement: what they owe is signed for as it goes.
  const settle = c.req.header(headers.settle) === "1" && !payer.stream.cover;
  const letGo = settle ? admission.holdLast(payer.stream) : () => {};
  // Paid answers have an id of ours: receipts are found by it, so no caller may choose it.
  const requestId = randomUUID();
  c.set("requestId", requestId);
  for (const [name, value] of Object.entries(payer.notes?.head() ?? {})) c.header(name, value);
  const work = paid.work({ requestId, startedAtMs: clock.now() });
  const run = (sink: Sink, gone: AbortSignal) =>
    runAnswer(context.answers, { requestId, payer, work, extraMs: readingMs, settle, sink, gone }).then(
      (answered) => {
        letGo(answered.signed?.settlement !== undefined);
        return answered;
      },
      (thrown) => {
        letGo(false);
        throw thrown;
      },
    );
  return paid.streamed
    ? answerLive(context, c, requestId, { work, run, notes: payer.notes })
    : answerWhole(c, paid.compose ?? ((all) => all.body()), { work, run, notes: payer.notes });
}

type Run = (sink: Sink, gone: AbortSignal) => ReturnType<typeof runAnswer>;

interface Live {
  readonly work: Work;
  readonly run: Run;
  readonly notes: PaymentNotes | undefined;
}

async function answerLive({ logger }: ProviderContext, c: RouteContext, requestId: string, { work, run, notes }: Live): Promise<Response> {
  const events = createEventStream(c, requestId);
  const answering = run(events, events.gone).then(({ signed, failure }) => {
    events.finish([...(notes?.ending(signed) ?? []), ...(failure ? [] : work.ending(encodeSignedReceipt(signed)))]);
  });
  await Promise.race([events.opened, answering]);
  answering.catch((thrown) => {
    const error = AppError.from(thrown);
    const record = { requestId, code: error.code, facts: error.facts };
    if (error.alert) logger.error({ ...record, err: thrown }, "an answer that had begun could not be finished");
    else logger.info(record, "an answer that had begun could not be finished");
    events.fail(work.failed(error));
  });
  return RESPONSE_ALREADY_SENT;
}

/** The answer in one piece, with the receipt in a header. */
async function answerWhole<W extends Work>(
  c: RouteContext,
  compose: (work: W) => Body | undefined,
  { work, run, notes }: Live & { readonly work: W },
): Promise<Response> {
  let body: Body | undefined;
  const sink: Sink = {
    live: false,
    deliver: () => undefined,
    comment: () => {},
    alive: () => {},
    seal: () => {
      body = compose(work);
      return `0x${createHash("sha256")
        .update(body?.bytes ?? "")
        .digest("hex")}`;
    },
  };
  const { signed } = await run(sink, goneSignal(c.env.outgoing as never).signal);
  for (const [name, value] of Object.entries(notes?.head() ?? {})) c.header(name, value);
  const receipt = { [headers.receipt]: receiptHeader(signed) };
  if (!body) return problemResponse(c, nothingOfUse(signed.receipt.reason), receipt);
  return c.body(body.bytes as string, 200, { "content-type": body.contentType, "cache-control": "no-store", ...receipt });
}

function nothingOfUse(reason: EndReason): AppError {
  if (reason === "runway") return new AppError("RUNWAY_TOO_SHORT", "The stream's deposit was used up before the answer was there.");
  return new AppError("STREAM_ENDED", "The stream was ended before the answer was there.");
}

const receiptHeader = (signed: SignedReceipt): string => Buffer.from(JSON.stringify(encodeSignedReceipt(signed))).toString("base64url");
