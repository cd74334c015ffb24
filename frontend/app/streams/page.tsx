import type { Metadata } from "next";
import { Streams } from "./_components/Streams.tsx";

export const metadata: Metadata = { title: "My streams" };

export default function Page() {
  return (
    <>
      <h1 className="font-semibold text-3xl tracking-tight">My streams</h1>
      <p className="mt-2 max-w-prose text-pretty text-soft">
        What this wallet pays for, as the contract holds it. Every open stream can be ended here at once.
      </p>
      <Streams />
    </>
  );
}
