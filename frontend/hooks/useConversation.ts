"use client";
import { type Offer, readStream } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { hashReceipt } from "@clawcompute/lib/protocol";
import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useRef, useState } from "react";
import {
  type ChatStream,
  domainOf,
  endChatStream,
  openChatStream,
  receiptAfterCut,
  TOLERANCE_MS,
  verifyAnswer,
} from "@/paying/chatStream.ts";
import { emptyConversation, loadConversation, nextConversation, saveConversation } from "@/paying/conversation.ts";
import { type ChatMessage, providerApi } from "@/paying/providerApi.ts";
import { readAnswer } from "@/paying/readAnswer.ts";
import type { Wallet } from "@/paying/walletCall.ts";
import { useChain } from "@/web3/network.tsx";

export type Phase = "idle" | "opening" | "signing" | "answering" | "ending";

/** A conversation that is paid by a stream: opening it, asking, stopping, ending it for the refund. */
export function useConversation(wallet: Wallet | undefined) {
  const chain = useChain();
  const client = useQueryClient();
  const { chainId, isLocal } = chain.network;
  const payer = wallet?.account.address;
  const [conversation, dispatch] = useReducer(nextConversation, emptyConversation);
  const [phase, setPhase] = useState<Phase>("idle");
  const [error, setError] = useState<AppError>();
  const [answeringSince, setAnsweringSince] = useState<number>();
  const [owner, setOwner] = useState<string>();
  const abort = useRef<AbortController>(undefined);
  const answering = useRef<Promise<void>>(Promise.resolve());

  useEffect(() => {
    if (payer === undefined) return;
    dispatch({ kind: "restored", conversation: loadConversation(chainId, payer) ?? emptyConversation });
    setOwner(payer);
    return () => abort.current?.abort();
  }, [chainId, payer]);
  useEffect(() => {
    if (payer !== undefined && owner === payer) saveConversation(chainId, payer, conversation);
  }, [chainId, payer, owner, conversation]);

  // It may have been ended elsewhere: on another page, by the provider, by a keeper.
  const streamId = conversation.stream?.id;
  const { data: state } = useQuery({
    queryKey: ["stream", chainId, streamId],
    queryFn: streamId === undefined ? skipToken : () => readStream(chain, BigInt(streamId)),
    refetchInterval: 5000,
  });
  useEffect(() => {
    if (phase !== "idle" || streamId === undefined || state?.id !== BigInt(streamId) || !["closed", "unknown"].includes(state.status))
      return;
    dispatch({ kind: "ended", ending: { kind: "gone", paid: 0n, refunded: 0n, hash: undefined, overclaimed: false } });
  }, [phase, streamId, state]);

  const run = async (work: () => Promise<void>) => {
    setError(undefined);
    try {
      await work();
    } catch (thrown) {
      setError(AppError.from(thrown));
    } finally {
      setPhase("idle");
      await client.invalidateQueries();
    }
  };

  const answer = async (stream: ChatStream, text: string) => {
    const { lastReceiptHash: previousReceiptHash, servedMs: previousServedMs } = conversation.stream ? conversation : emptyConversation;
    const history: ChatMessage[] = conversation.turns
      .filter(({ content }) => content !== "")
      .map(({ role, content }) => ({ role, content }));
    dispatch({ kind: "asked", text });
    setPhase("answering");
    const controller = new AbortController();
    abort.current = controller;
    const started = performance.now();
    setAnsweringSince(started);
    const api = providerApi(stream.endpoint, isLocal);
    let requestId: string | undefined;
    try {
      const messages: ChatMessage[] = [...history, { role: "user", content: text }];
      const chat = await api.chat(stream.token, { model: stream.model, messages }, controller.signal);
      requestId = chat.requestId;
      const got = await readAnswer(chat.events, controller.signal, (piece) => dispatch({ kind: "text", text: piece }));
      const measuredMs = performance.now() - started;
      if (got.signed === undefined)
        throw got.failure ?? new AppError("PROVIDER_DISHONEST", "The provider sent no receipt with its answer.");
      const { receipt } = await verifyAnswer(chain, stream, got, { measuredMs, previousServedMs, previousReceiptHash });
      const { servedMs, cumulativeServedMs: cumulativeMs, reason } = receipt;
      const note = got.failure?.message ?? (["stop", "tool_calls"].includes(reason) ? undefined : endingWords(reason));
      dispatch({ kind: "answered", servedMs, cumulativeMs, receiptHash: hashReceipt(domainOf(chain), receipt), ...(note ? { note } : {}) });
    } catch (thrown) {
      const measuredMs = performance.now() - started;
      setAnsweringSince(undefined);
      const own = { measuredMs, previousServedMs, previousReceiptHash };
      const signed = requestId === undefined ? undefined : await receiptAfterCut(chain, stream, api, requestId, own);
      const receipt = signed && {
        hash: hashReceipt(domainOf(chain), signed.receipt),
        servedMs: signed.receipt.servedMs,
        cumulativeMs: signed.receipt.cumulativeServedMs,
      };
      dispatch({ kind: "cut", measuredMs, failure: AppError.from(thrown), ...(receipt ? { receipt } : {}) });
    } finally {
      setAnsweringSince(undefined);
    }
  };

  return {
    conversation,
    phase,
    error,
    answeringSince,
    /** Opens a stream first when there is none. */
    ask: (text: string, offer: Offer, seconds: number) =>
      run(async () => {
        if (!wallet) throw new AppError("WALLET_MISSING", "Connect a wallet first.");
        let { stream } = conversation;
        if (!stream) {
          setPhase("opening");
          stream = await openChatStream(chain, wallet, offer, seconds, providerApi(offer.endpoint, isLocal), {
            opened: () => setPhase("signing"),
          });
          dispatch({ kind: "opened", stream });
        }
        answering.current = answer(stream, text);
        await answering.current;
      }),
    stop: () => abort.current?.abort(),
    end: () =>
      run(async () => {
        const { stream, servedMs, turns } = conversation;
        if (!wallet || !stream) return;
        abort.current?.abort();
        await answering.current;
        setPhase("ending");
        const answers = turns.filter(({ role }) => role === "assistant").length;
        const comingMs = answeringSince === undefined ? 0 : performance.now() - answeringSince;
        const mostMs = servedMs + comingMs + answers * TOLERANCE_MS;
        dispatch({ kind: "ended", ending: await endChatStream(chain, wallet, stream, providerApi(stream.endpoint, isLocal), mostMs) });
      }),
    clear: () => dispatch({ kind: "cleared" }),
    dismissError: () => setError(undefined),
  };
}

function endingWords(reason: string): string {
  if (reason === "runway") return "The deposit ran out before the end.";
  if (reason === "length") return "The model's length limit was reached.";
  if (reason === "cancelled") return "The stream was cancelled.";
  return `It ended early (${reason}).`;
}
