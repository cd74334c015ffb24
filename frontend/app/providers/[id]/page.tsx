import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { ProviderView } from "./_components/ProviderView.tsx";

type Props = { params: Promise<{ id: string }> };
const idOf = (text: string) => (/^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined);

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Provider ${idOf((await params).id) ?? ""}` };
}

export default async function Page({ params }: Props) {
  const id = idOf((await params).id);
  if (id === undefined) notFound();
  return <ProviderView id={id} />;
}
