import type { Metadata } from "next";
import { NetworkView } from "./_components/NetworkView.tsx";

export const metadata: Metadata = { title: "Network" };

export default function Page() {
  return (
    <>
      <h1 className="font-semibold text-3xl tracking-tight">Network</h1>
      <p className="mt-2 max-w-prose text-pretty text-soft">
        What the contracts hold and have moved. Every figure can be added up again from the chain's events.
      </p>
      <NetworkView />
    </>
  );
}
