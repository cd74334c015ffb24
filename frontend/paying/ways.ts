import type { Payment, PaymentWay } from "./payment.ts";
import { channelTerms, streamTerms, type WayTerms } from "./wayTerms.ts";

/** Its code, with the checks of every answer, is loaded with the first thing that is done by it. */
function whenUsed<P extends Payment>(kind: P["kind"], terms: WayTerms, load: () => Promise<PaymentWay<P>>): PaymentWay {
  const way: PaymentWay<P> = {
    kind,
    ...terms,
    openingGas: async (...given) => (await load()).openingGas(...given),
    open: async (...given) => (await load()).open(...given),
    ask: async (...given) => (await load()).ask(...given),
    verify: async (...given) => (await load()).verify(...given),
    end: async (...given) => (await load()).end(...given),
    isOpen: async (...given) => (await load()).isOpen(...given),
  };
  return way as PaymentWay;
}

/** Every way in which this page can pay; the first one is the default. */
export const ways: readonly PaymentWay[] = [
  whenUsed("stream", streamTerms, () => import("./streamWay.ts").then((made) => made.streamWay)),
  whenUsed("channel", channelTerms, () => import("./channelWay.ts").then((made) => made.channelWay)),
];

export function wayOf({ kind }: Pick<Payment, "kind">): PaymentWay {
  const way = ways.find((known) => known.kind === kind);
  if (!way) throw new Error(`there is no way to pay called ${kind}`);
  return way;
}
