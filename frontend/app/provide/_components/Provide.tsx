"use client";
import { WalletGate } from "@/components/chain/WalletGate.tsx";
import { Console } from "./Console.tsx";

export function Provide() {
  return (
    <div className="mt-8">
      <WalletGate purpose="to offer a model and collect its income">{(account) => <Console key={account} account={account} />}</WalletGate>
    </div>
  );
}
