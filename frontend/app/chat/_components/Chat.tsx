"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { zeroAddress } from "viem";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { useConversation } from "@/hooks/useConversation.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import { offersQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";
import { Composer } from "./Composer.tsx";
import { Meter } from "./Meter.tsx";
import { Terms } from "./Terms.tsx";
import { Transcript } from "./Transcript.tsx";

export function Chat({ wantedProvider }: { wantedProvider: number | undefined }) {
  const chain = useChain();
  const wallet = useWallet();
  const { data, error: offersError } = useQuery(offersQuery(chain));
  const talk = useConversation(wallet);
  const { conversation, phase, error, answeringSince } = talk;
  const { stream, turns, ending } = conversation;
  const [chosen, setChosen] = useState(wantedProvider);
  const [seconds, setSeconds] = useState(60);
  const offers = data?.filter(({ asset, serviceType }) => asset === zeroAddress && serviceType === 0);
  const offer = offers?.find(({ id }) => id === (stream?.providerId ?? chosen)) ?? (stream || chosen ? undefined : offers?.[0]);
  return (
    <div className="grid gap-6 lg:grid-cols-[minmax(0,1fr)_20rem] lg:gap-10">
      <section aria-labelledby="chat" className="order-2 flex min-w-0 flex-col lg:order-1 lg:min-h-[calc(100dvh-11rem)]">
        <h1 id="chat" className="sr-only">
          Chat
        </h1>
        <div className="flex-1 space-y-4">
          {turns.length === 0 && (
            <div className="max-w-md pt-2 sm:pt-8">
              <p className="font-semibold text-2xl tracking-tight">Ask, and watch what it costs.</p>
              <p className="mt-2 text-pretty text-soft">
                Your deposit sits in a contract, not with the provider. It pays for the seconds in which the model works, and comes back
                when you end the stream.
              </p>
            </div>
          )}
          <Transcript turns={turns} ratePerSecond={stream?.ratePerSecond} />
          {error && <ErrorNotice error={error} />}
          {offersError && <ErrorNotice error={offersError} title="The chain does not answer" />}
          {offers?.length === 0 && <Notice title="Nobody sells text for the native coin right now" />}
          {chosen !== undefined && !stream && offers && !offer && (
            <Notice tone="warn" title={`Provider ${chosen} takes no work right now`}>
              <p>Choose another one.</p>
            </Notice>
          )}
        </div>
        <Composer
          phase={phase}
          isConnected={wallet !== undefined}
          isOpen={stream !== undefined}
          canAsk={offer !== undefined}
          onAsk={(text) => offer && talk.ask(text, offer, seconds)}
          onStop={talk.stop}
        />
      </section>
      <aside className="order-1 min-w-0 lg:order-2">
        {stream ? (
          <Meter
            stream={stream}
            servedMs={conversation.servedMs}
            answeringSince={answeringSince}
            phase={phase}
            onEnd={talk.end}
            canEnd={wallet !== undefined}
          />
        ) : (
          <Terms
            offers={offers}
            offer={offer}
            seconds={seconds}
            onSeconds={setSeconds}
            onOffer={setChosen}
            ending={ending}
            isBusy={phase !== "idle"}
            onClear={turns.length > 0 ? talk.clear : undefined}
          />
        )}
      </aside>
    </div>
  );
}
