"use client";
import type { Offer } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { AddressText } from "@/components/chain/AddressText.tsx";
import { Amount } from "@/components/chain/Amount.tsx";
import { HealthLabel } from "@/components/chain/HealthLabel.tsx";
import { atText } from "@/components/chain/time.ts";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { useMeasured } from "@/hooks/useMeasured.ts";
import { useMeasuredSpeed } from "@/hooks/useMeasuredSpeed.ts";
import { healthQuery } from "@/queries/health.ts";
import { costOfMillion } from "@/queries/measured.ts";
import type { Uptime } from "@/queries/offers.ts";
import { useNetwork } from "@/web3/network.tsx";

export function EndpointCard({ offer, uptime }: { offer: Offer; uptime: Uptime | undefined }) {
  const { chainId, isLocal } = useNetwork();
  const query = healthQuery(offer, { chainId, isLocal });
  const { data: health } = useQuery(query);
  const measured = useMeasured(query.queryKey);
  const speed = useMeasuredSpeed(offer.id);
  return (
    <Panel title="From where you are">
      <Facts className="mt-2">
        <Fact name="Endpoint">
          <HealthLabel health={health} />
        </Fact>
        <Fact name="Answers measured here">
          {measured ? `${measured.count}, ${measured.least} to ${measured.most} ms, half within ${measured.median} ms` : "none yet"}
        </Fact>
        {speed && (
          <Fact name="A million tokens, from your own answers">
            ≈ <Amount raw={costOfMillion(offer.pricePerSecond, speed)} asset={offer.asset} />
            <span className="block text-soft">
              {speed.tokens} tokens in {speed.answers} {speed.answers === 1 ? "answer" : "answers"},{" "}
              {Math.round((speed.tokens * 1000) / speed.servedMs)} a second
            </span>
          </Fact>
        )}
        {uptime && (
          <Fact name="Seen by the indexer, 7 days">
            {uptimeText(uptime)}
            {uptime.meanLatencyMs !== null && `, ${uptime.meanLatencyMs} ms on average`}
          </Fact>
        )}
        <Fact name="Free places">{health && "free" in health ? `${health.free} of ${health.capacity}` : "not known"}</Fact>
        <Fact name="Address">
          <span className="break-all font-mono text-xs">{untrusted(offer.endpoint, 256)}</span>
        </Fact>
        <Fact name="Owner">
          <AddressText address={offer.owner} isWhole />
        </Fact>
        {offer.signer && (
          <Fact name="Signs receipts">
            <AddressText address={offer.signer} isWhole />
          </Fact>
        )}
        <Fact name="Registered">{atText(offer.registeredAt)}</Fact>
      </Facts>
    </Panel>
  );
}

/** Rounded down: nobody is up "100 %" who once was not. */
function uptimeText({ probes, answered }: Uptime): string {
  const share = Math.floor((answered * 1000) / Math.max(1, probes)) / 10;
  return `answered ${share} % of ${probes} ${probes === 1 ? "probe" : "probes"}`;
}
