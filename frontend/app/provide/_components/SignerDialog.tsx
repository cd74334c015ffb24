"use client";
import { type Offer, registryWrites } from "@clawcompute/lib/chain";
import { useState } from "react";
import { isAddress, zeroAddress } from "viem";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Field } from "@/components/ui/Field.tsx";

interface SignerDialogProps {
  offer: Offer;
  onClose: () => void;
  onDone: () => void;
}

export function SignerDialog({ offer, onClose, onDone }: SignerDialogProps) {
  const [text, setText] = useState<string>(offer.signer ?? "");
  const signer = text === "" ? zeroAddress : isAddress(text) ? text : undefined;
  const isSame = signer?.toLowerCase() === (offer.signer ?? zeroAddress).toLowerCase();
  return (
    <ConfirmSend
      title={`Signer of ${untrusted(offer.model)}`}
      confirm="Change the signer"
      calls={signer === undefined || isSame ? [] : [registryWrites.setProviderSigner({ id: offer.id, signer })]}
      onClose={onClose}
      onDone={onDone}
    >
      <p className="mb-4 text-pretty text-sm">
        A key that lives on the serving machine and signs receipts and settlements for this offer. It can never receive or withdraw money,
        so the machine holds nothing worth stealing.
      </p>
      <Field
        label="Address of the signer"
        autoComplete="off"
        spellCheck={false}
        placeholder="0x…"
        value={text}
        onChange={({ target }) => setText(target.value.trim())}
        error={signer === undefined ? "An address is 0x and 40 hexadecimal digits; check the capital letters." : undefined}
        hint="Leave it empty to sign with this wallet alone."
      />
    </ConfirmSend>
  );
}
