import { channelWay } from "./channelWay.ts";
import type { Payment, PaymentWay } from "./payment.ts";
import { streamWay } from "./streamWay.ts";

/** Every way in which this page can pay; the first one is the default. */
export const ways: readonly PaymentWay[] = [streamWay as PaymentWay, channelWay as PaymentWay];

export function wayOf({ kind }: Pick<Payment, "kind">): PaymentWay {
  const way = ways.find((known) => known.kind === kind);
  if (!way) throw new Error(`there is no way to pay called ${kind}`);
  return way;
}
