"use client";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { useAccount } from "wagmi";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { useDesk } from "@/hooks/useDesk.ts";
import { usePaymentState } from "@/hooks/usePaymentState.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import { newConversation } from "@/paying/conversation.ts";
import { activityOf } from "@/paying/desk.ts";
import { ways } from "@/paying/ways.ts";
import { offersQuery } from "@/queries/offers.ts";
import { useChain } from "@/web3/network.tsx";
import { Bill } from "./Bill.tsx";
import { Composer } from "./Composer.tsx";
import { ConversationBar } from "./ConversationBar.tsx";
import { ConversationList } from "./ConversationList.tsx";
import { Meter, MeterLine } from "./Meter.tsx";
import { Terms } from "./Terms.tsx";

// Reads receipts, whose checks nobody needs before the first question.
const Transcript = lazy(() => import("./Transcript.tsx").then((made) => ({ default: made.Transcript })));

const blank = newConversation("", 0);

export function Chat({ wantedProvider }: { wantedProvider: number | undefined }) {
  const chain = useChain();
  const { address } = useAccount();
  const wallet = useWallet();
  const { desk, state } = useDesk(address);
  const { data, error: offersError } = useQuery(offersQuery(chain));
  const [wanted, setWanted] = useState<string>();
  const [chosen, setChosen] = useState(wantedProvider);
  const [seconds, setSeconds] = useState(60);
  const [draft, setDraft] = useState("");
  const [way, setWay] = useState(ways[0]);

  // A reader who asked for a provider gets its conversation, or a new one; everybody else the newest.
  const fits = wantedProvider === undefined ? undefined : ({ payment }: typeof blank) => !payment || payment.providerId === wantedProvider;
  const conversation = state.conversations.find(({ id }) => id === wanted) ?? (wanted === "" ? blank : (state.conversations[0] ?? blank));
  const shown = wanted === undefined && fits && !fits(conversation) ? blank : conversation;
  const { phase, error, answeringSince } = activityOf(state, shown.id);
  const { payment, turns, ending } = shown;
  usePaymentState(desk, shown, phase);

  const offers = useMemo(() => data?.filter((offer) => ways.some((known) => known.canPay(offer))), [data]);
  const offer = offers?.find(({ id }) => id === (payment?.providerId ?? chosen)) ?? (payment || chosen ? undefined : offers?.[0]);
  const payer = useMemo(() => wallet && { chain, wallet }, [chain, wallet]);
  const servable = ways.filter((known) => offer && known.canPay(offer));
  const usedWay = servable.find((known) => known === way) ?? servable[0];
  useEffect(() => setChosen(wantedProvider), [wantedProvider]);

  const choose = (id: string) => setWanted(id);
  const remove = (id: string) => {
    desk?.remove(id);
    setWanted(undefined);
  };
  const list = { conversations: state.conversations, activities: state.activities, shown: shown.id, onChoose: choose };
  const canAsk = payment !== undefined || (offer !== undefined && usedWay !== undefined);
  const ask = (text: string) => {
    if (!desk || !payer || !usedWay) return;
    const id = desk.conversation(shown.id) ? shown.id : desk.create();
    setWanted(id);
    if (offer || payment) desk.ask(id, text, { payer, offer: offer as NonNullable<typeof offer>, seconds, way: usedWay });
  };
  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_19rem] lg:gap-8 xl:grid-cols-[13.5rem_minmax(0,1fr)_19rem]">
      <nav aria-label="Conversations" className="hidden xl:block">
        <div className="sticky top-6 max-h-[calc(100dvh-3rem)] overflow-y-auto">
          <ConversationList {...list} />
        </div>
      </nav>
      <section aria-labelledby="chat" className="order-2 flex min-w-0 flex-col lg:order-none lg:min-h-[calc(100dvh-9rem)]">
        <h1 id="chat" className="sr-only">
          Chat
        </h1>
        <ConversationBar {...list} conversation={shown} onRemove={remove} isRemovable={phase === "idle"} />
        <div className="flex-1 space-y-4">
          {turns.length === 0 && <Welcome onExample={setDraft} />}
          <Suspense>{turns.length > 0 && <Transcript turns={turns} asset={payment?.asset ?? ending?.asset} />}</Suspense>
          {error && <ErrorNotice error={error} />}
          {offersError && <ErrorNotice error={offersError} title="The chain does not answer" />}
          {offers?.length === 0 && <Notice title="Nobody sells text right now" />}
          {chosen !== undefined && !payment && offers && !offer && (
            <Notice tone="warn" title={`Provider ${chosen} takes no work right now`}>
              <p>Choose another model.</p>
            </Notice>
          )}
        </div>
        <Composer
          text={draft}
          onText={setDraft}
          note={payment && <MeterLine payment={payment} servedMs={shown.servedMs} answeringSince={answeringSince} />}
          phase={phase}
          isConnected={wallet !== undefined}
          isOpen={payment !== undefined}
          kind={payment?.kind ?? usedWay?.kind ?? "stream"}
          canAsk={canAsk}
          onAsk={ask}
          onStop={() => desk?.stop(shown.id)}
          onEnd={() => payer && desk?.end(shown.id, payer)}
        />
      </section>
      <aside aria-label="Payment" className="order-1 min-w-0 lg:order-none">
        <div className="space-y-4 lg:sticky lg:top-6">
          {ending && !payment && <Bill ending={ending} />}
          {payment ? (
            <Meter
              payment={payment}
              servedMs={shown.servedMs}
              answeringSince={answeringSince}
              phase={phase}
              onEnd={() => payer && desk?.end(shown.id, payer)}
              canEnd={wallet !== undefined}
            />
          ) : (
            <Terms
              offers={offers}
              offer={offer}
              way={usedWay}
              wayChoices={servable}
              onWay={setWay}
              payer={payer}
              seconds={seconds}
              onSeconds={setSeconds}
              onOffer={setChosen}
              conversations={state.conversations}
              isBusy={phase !== "idle"}
            />
          )}
        </div>
      </aside>
    </div>
  );
}

const examples = ["What is your name?", "Explain pay by the second in two sentences", "Write a haiku about running water"];

function Welcome({ onExample }: { onExample: (text: string) => void }) {
  return (
    <div className="max-w-lg pt-2 sm:pt-10">
      <p className="font-semibold text-2xl tracking-tight sm:text-3xl">Ask, and watch what it costs.</p>
      <p className="mt-3 text-pretty text-soft leading-relaxed">
        Your deposit sits in a contract, not with the provider. It pays for the seconds in which the model works, and the rest comes back
        when you end it.
      </p>
      <ul className="mt-6 flex flex-wrap gap-2">
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              onClick={() => onExample(example)}
              className="rounded-full border border-line bg-surface px-3.5 py-2 text-left text-sm transition-colors hover:border-line-strong"
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
