import type { Chain, ContractCall, SendOptions, SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { PaymentPayload, PaymentRequirements } from "@clawcompute/lib/protocol/payments";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/facilitator";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import type { Abi, Address, Hex } from "viem";

/** Checks and sends x402 payments in this process: no third party, any chain. */
export interface Facilitator {
  /** The transaction that paid. Throws PAYMENT_REFUSED; after `onSigned` that may be wrong, and the chain knows. */
  settle(payload: PaymentPayload, requirements: PaymentRequirements, onSigned: SendOptions["onSigned"]): Promise<{ readonly hash: Hex }>;
  /** What the scheme says of a payment that is good. Throws PAYMENT_REFUSED. */
  verify(payload: PaymentPayload, requirements: PaymentRequirements): Promise<Readonly<Record<string, unknown>>>;
}

export function createFacilitator(options: {
  readonly chain: Chain;
  readonly sender: Address;
  readonly send: (call: ContractCall, options?: SendOptions) => Promise<SentTransaction>;
}): Facilitator {
  const { chain, sender, send } = options;
  const { client } = chain;
  const facilitatorFor = (onSigned: SendOptions["onSigned"], onSent: (hash: Hex) => void) => {
    const signer = toFacilitatorEvmSigner({
      address: sender,
      readContract: (args) => client.readContract(args as Parameters<typeof client.readContract>[0]),
      verifyTypedData: (args) => client.verifyTypedData(args as Parameters<typeof client.verifyTypedData>[0]),
      // The payee's own queue: nonces in order, replaced when too cheap, found again after a crash.
      writeContract: async ({ address, abi, functionName, args }) => {
        const { hash } = await send({ contract: address, abi: abi as Abi, functionName, args }, onSigned && { onSigned });
        onSent(hash);
        return hash;
      },
      sendTransaction: () => Promise.reject(new AppError("UNSUPPORTED", "Wallets that are not deployed yet cannot pay here.")),
      waitForTransactionReceipt: ({ hash }) => client.waitForTransactionReceipt({ hash, pollingInterval: 250, timeout: 60_000 }),
      getCode: (args) => client.getCode(args),
    });
    const network = `eip155:${chain.network.chainId}` as const;
    return new x402Facilitator().register(network, new ExactEvmScheme(signer)).register(network, new BatchSettlementEvmScheme(signer));
  };
  type Payload = Parameters<x402Facilitator["verify"]>[0];
  type Requirements = Parameters<x402Facilitator["verify"]>[1];

  const refused = (reason: string | undefined, cause?: unknown) =>
    new AppError("PAYMENT_REFUSED", "The payment was refused.", {
      param: "payment-signature",
      // Reasons are words of the protocol; anything else may hold details of our endpoint.
      facts: { reason: /^[a-z0-9_]{1,100}$/.test(reason ?? "") ? (reason as string) : "refused" },
      cause,
    });

  async function checked(facilitator: x402Facilitator, given: Payload, wanted: Requirements) {
    const verified = await facilitator.verify(given, wanted).catch((cause) => {
      throw refused(undefined, cause);
    });
    if (!verified.isValid) throw refused(verified.invalidReason);
    return verified.extra ?? {};
  }
  const reading = facilitatorFor(undefined, () => {});

  return {
    verify: (payload, requirements) => checked(reading, payload as unknown as Payload, requirements as unknown as Requirements),
    settle: async (payload, requirements, onSigned) => {
      const given = payload as unknown as Payload;
      const wanted = requirements as unknown as Requirements;
      let hash: Hex | undefined;
      const facilitator = facilitatorFor(onSigned, (sent) => {
        hash = sent;
      });
      await checked(facilitator, given, wanted);
      const settled = await facilitator.settle(given, wanted);
      // What was mined has paid, whatever went wrong with reading it.
      if (hash === undefined) throw refused(settled.success ? undefined : settled.errorReason);
      return { hash };
    },
  };
}
