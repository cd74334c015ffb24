"use client";
import Link from "next/link";
import { Amount } from "@/components/chain/Amount.tsx";
import type { Ending } from "@/paying/payment.ts";
import { useNetwork } from "@/web3/network.tsx";
import { Term } from "./Term.tsx";

const titles: Record<Ending["kind"], string> = {
  settled: "Ended for the time served",
  cancelled: "Cancelled by the clock",
  withdrawn: "Ended without the provider",
  gone: "Ended elsewhere",
};

/** What it came to. */
export function Bill({ ending }: { ending: Ending }) {
  const { explorerUrl } = useNetwork();
  const { kind, asset, paid, refunded, hash, overclaimed } = ending;
  return (
    <section aria-label="Bill" className="rounded-2xl bg-money-soft p-5" data-testid="bill">
      <h2 className="font-medium">{titles[kind]}</h2>
      {kind === "gone" ? (
        <p className="mt-2 text-sm">
          What paid for this is closed.{" "}
          <Link href="/streams" className="underline underline-offset-4">
            What it cost
          </Link>
        </p>
      ) : (
        <dl className="mt-3 space-y-1.5 text-sm [&_.text-soft]:text-ink">
          <Term name="Paid">
            <span data-testid="paid">
              <Amount raw={paid} asset={asset} />
            </span>
          </Term>
          <Term name="Came back">
            <span data-testid="refunded">
              <Amount raw={refunded} asset={asset} className="font-medium" />
            </span>
          </Term>
        </dl>
      )}
      {overclaimed && <p className="mt-2 text-sm">The provider claimed more time than was measured here. Choose another one next time.</p>}
      {hash && explorerUrl && (
        <a className="mt-2 block text-sm underline" href={`${explorerUrl}/tx/${hash}`} target="_blank" rel="noreferrer">
          Transaction
        </a>
      )}
    </section>
  );
}
