import type { ChannelSession } from "./channelSession.ts";
import type { Payment } from "./payment.ts";

/** Those that this page pays by, by the channel's id. */
export const sessions = new Map<string, ChannelSession>();

/** What the provider could take now without having worked for it, as time. */
export const atRiskMs = ({ id }: Pick<Payment, "id">): number => sessions.get(id)?.exposure.atRiskMs() ?? 0;
