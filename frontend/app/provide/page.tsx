import type { Metadata } from "next";
import { Provide } from "./_components/Provide.tsx";

export const metadata: Metadata = { title: "Provide" };

export default function Page() {
  return (
    <>
      <h1 className="font-semibold text-3xl tracking-tight">Provide</h1>
      <p className="mt-2 max-w-prose text-pretty text-soft">
        Your models on the market and the money they bring. Nobody stands between: buyers' streams pay this wallet, second by second.
      </p>
      <Provide />
    </>
  );
}
