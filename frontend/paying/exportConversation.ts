import { formatAmount } from "@clawcompute/lib/money";
import { type Conversation, titleOf } from "./conversation.ts";

/** Everything, the signed receipts included: `claw receipts verify` reads them. Session tokens are left out. */
export function conversationAsJson({ payment, ...rest }: Conversation): string {
  const { token: _, ...shown } = payment ?? { token: "" };
  const all = { ...rest, ...(payment ? { payment: shown } : {}), receipts: rest.turns.flatMap(({ receipt }) => receipt?.signed ?? []) };
  return `${JSON.stringify(all, (_, value) => (typeof value === "bigint" ? value.toString() : value), 2)}\n`;
}

/** To read and to paste. */
export function conversationAsMarkdown(conversation: Conversation, symbol: string): string {
  const turns = conversation.turns.map(({ role, content, model, note, receipt }) => {
    const who = role === "user" ? "You" : (model ?? "Answer");
    const amount = (receipt?.signed as { receipt?: { amount?: string } } | undefined)?.receipt?.amount;
    const cost = receipt
      ? `\n\n_${(receipt.servedMs / 1000).toFixed(2)} s served${amount ? `, ${formatAmount(BigInt(amount))} ${symbol}` : ""}, receipt ${receipt.hash}_`
      : "";
    return `## ${who}\n\n${content.trim()}${note ? `\n\n> Cut short: ${note}` : ""}${cost}\n`;
  });
  return `# ${titleOf(conversation)}\n\n${turns.join("\n")}`;
}
