import { createHash, randomUUID } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { problemResponse } from "@clawcompute/lib/node";
import { type EndReason, encodeSignedReceipt, encodeSse, headers, type SignedReceipt } from "@clawcompute/lib/protocol";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Payer } from "../admission.ts";
import { runAnswer, type Sink } from "../answer.ts";
import type { WorkContext } from "../answers/chunkWork.ts";
import type { Body, Piece, Work } from "../answers/work.ts";
import { type Asked, assertCaps } from "../caps.ts";
import type { ProviderContext } from "../context.ts";
import type { PaymentNotes } from "../payments/payments.ts";
import { type Claim, REPLAY_BYTES } from "../payments/replays.ts";
import { createEventStream, goneSignal } from "./eventStream.ts";
import type { RouteContext } from "./handler.ts";
import { findReplay, isKept, replayResponse } from "./replay.ts";

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
  const found = await findReplay(context, c, payer.stream.state.payer);
  if (found && isKept(found)) return replayResponse(c, found);
  try {
    return await answerPaid(context, c, paid, found);
  } catch (thrown) {
    await found?.release();
    throw thrown;
  }
}

async function answerPaid<W extends Work>(
  context: ProviderContext,
  c: RouteContext,
  paid: PaidAnswer<W>,
  claim: Claim | undefined,
): Promise<Response> {
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
  const live = { work, run, notes: payer.notes, claim };
  return paid.streamed ? answerLive(context, c, requestId, live) : answerWhole(c, paid.compose ?? ((all) => all.body()), live);
}

type Run = (sink: Sink, gone: AbortSignal) => ReturnType<typeof runAnswer>;

interface Live {
  readonly work: Work;
  readonly run: Run;
  readonly notes: PaymentNotes | undefined;
  /** The answer is kept for who asks again. */
  readonly claim: Claim | undefined;
}

async function answerLive({ logger }: ProviderContext, c: RouteContext, requestId: string, live: Live): Promise<Response> {
  const { work, run, notes, claim } = live;
  const events = createEventStream(c, requestId);
  const recording = claim && record(events);
  const answering = run(recording?.sink ?? events, events.gone).then(async ({ signed, failure }) => {
    const last = [...(notes?.ending(signed) ?? []), ...(failure ? [] : work.ending(encodeSignedReceipt(signed)))];
    // Who asks again after the end must find it.
    if (failure) await claim?.release();
    else if (recording) await claim?.keep({ status: 200, headers: EVENT_STREAM, body: recording.body(last) });
    events.finish(last);
  });
  await Promise.race([events.opened, answering]);
  answering.catch((thrown) => {
    const error = AppError.from(thrown);
    const record = { requestId, code: error.code, facts: error.facts };
    if (error.alert) logger.error({ ...record, err: thrown }, "an answer that had begun could not be finished");
    else logger.info(record, "an answer that had begun could not be finished");
    events.fail(work.failed(error));
    void claim?.release();
  });
  return RESPONSE_ALREADY_SENT;
}

/** The answer in one piece, with the receipt in a header. */
async function answerWhole<W extends Work>(
  c: RouteContext,
  compose: (work: W) => Body | undefined,
  { work, run, notes, claim }: Live & { readonly work: W },
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
  const shown = { "content-type": body.contentType, ...receipt };
  await claim?.keep({ status: 200, headers: { ...shown, "x-request-id": signed.receipt.requestId }, body: Buffer.from(body.bytes) });
  return c.body(body.bytes as string, 200, { ...shown, "cache-control": "no-store" });
}

const EVENT_STREAM = { "content-type": "text/event-stream; charset=utf-8" };

/** What a caller who asks again is told, up to what is kept. */
function record(events: Sink): { readonly sink: Sink; body(last: readonly Piece[]): Buffer } {
  const said: string[] = [];
  let size = 0;
  const add = ({ data, event }: Piece) => {
    const text = encodeSse(String(data), event);
    size += text.length;
    if (size <= REPLAY_BYTES + text.length) said.push(text);
  };
  return {
    sink: {
      ...events,
      deliver: (piece) => {
        add(piece);
        return events.deliver(piece);
      },
    },
    body: (last) => {
      last.forEach(add);
      return Buffer.from(said.join(""));
    },
  };
}

function nothingOfUse(reason: EndReason): AppError {
  if (reason === "runway") return new AppError("RUNWAY_TOO_SHORT", "The stream's deposit was used up before the answer was there.");
  return new AppError("STREAM_ENDED", "The stream was ended before the answer was there.");
}

const receiptHeader = (signed: SignedReceipt): string => Buffer.from(JSON.stringify(encodeSignedReceipt(signed))).toString("base64url");
