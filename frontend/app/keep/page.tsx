import type { Metadata } from "next";
import { Keep } from "./_components/Keep.tsx";

export const metadata: Metadata = { title: "Keep" };

export default function Page() {
  return (
    <>
      <h1 className="font-semibold text-3xl tracking-tight">Keep</h1>
      <p className="mt-2 max-w-prose text-pretty text-soft">
        Bring payees what their streams owe them, and keep a thousandth of it. Anybody may, and nobody has to: a stream loses nothing while
        no keeper looks.
      </p>
      <Keep />
    </>
  );
}
