import { afterReload, type Conversation } from "./conversation.ts";

/** Conversations stay on this machine: one entry each, so that two pages do not overwrite each other's. */
export interface KeptConversations {
  /** Newest first. */
  load(): Conversation[];
  save(conversation: Conversation): void;
  remove(id: string): void;
}

export function keptConversations(storage: Storage, chainId: number, payer: string): KeptConversations {
  const prefix = `clawcompute.chat.${chainId}.${payer.toLowerCase()}.`;
  return {
    load: () =>
      Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "")
        .filter((key) => key.startsWith(prefix))
        .flatMap((key) => parse(storage.getItem(key)))
        .map(afterReload)
        .sort((a, b) => b.createdAt - a.createdAt),
    save: (conversation) => {
      const text = JSON.stringify(conversation, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
      try {
        storage.setItem(prefix + conversation.id, text);
      } catch {
        // Storage is full or forbidden: the conversation lives as long as the page.
      }
    },
    remove: (id) => storage.removeItem(prefix + id),
  };
}

/** The tokens of payments that conversations hold, by payment id: enough to end a stream without another signature. */
export function keptTokens(storage: Storage, chainId: number, payer: string): ReadonlyMap<string, string> {
  const payments = keptConversations(storage, chainId, payer)
    .load()
    .flatMap(({ payment }) => payment ?? []);
  return new Map(payments.map(({ id, token }) => [id, token]));
}

function parse(text: string | null): Conversation[] {
  try {
    const kept = JSON.parse(text ?? "", (name, value) =>
      ["paid", "refunded"].includes(name) ? BigInt(String(value).replace(/n$/, "")) : value,
    );
    return Array.isArray(kept?.turns) && typeof kept.id === "string" ? [kept] : [];
  } catch {
    return [];
  }
}
