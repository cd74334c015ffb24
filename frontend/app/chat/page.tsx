import type { Metadata } from "next";
import { Chat } from "./_components/Chat.tsx";

export const metadata: Metadata = { title: "Chat" };

export default async function Page({ searchParams }: { searchParams: Promise<{ provider?: string | string[] }> }) {
  const { provider } = await searchParams;
  const id = typeof provider === "string" && /^\d{1,10}$/.test(provider) ? Number(provider) : undefined;
  return <Chat wantedProvider={id} />;
}
