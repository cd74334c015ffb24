import { Market } from "./_components/Market.tsx";
import { viewFrom } from "./_components/marketView.ts";

export default async function Page({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const asked = await searchParams;
  return (
    <>
      <div className="max-w-2xl">
        <h1 className="text-balance font-semibold text-3xl tracking-tight sm:text-[2.6rem] sm:leading-[1.1]">
          Inference, paid by the second.
        </h1>
        <p className="mt-3 text-pretty text-soft sm:text-lg">
          Pick a model, open a stream, and money flows only while it works for you. Stop, and the rest is back in your wallet.
        </p>
      </div>
      <Market firstView={viewFrom(asked)} />
    </>
  );
}
