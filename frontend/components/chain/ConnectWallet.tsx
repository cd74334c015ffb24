"use client";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useAccount, useSwitchChain } from "wagmi";
import { useNetwork } from "@/web3/network.tsx";
import { Button } from "../ui/Button.tsx";
import { WalletIcon } from "../ui/icons.tsx";
import { shortAddress } from "./untrusted.ts";
import type { WalletModalKind } from "./WalletModal.tsx";

// The wallet chooser is heavy and most visits do not need it.
const WalletModal = dynamic(() => import("./WalletModal.tsx"), { ssr: false });

/** Connect, or who is connected; asks to change the chain when the wallet is on another one. */
export function ConnectWallet({ label = "Connect" }: { label?: string }) {
  const network = useNetwork();
  const { address, chainId, status } = useAccount();
  const { switchChain, isPending } = useSwitchChain();
  const [modal, setModal] = useState<WalletModalKind>();
  const isElsewhere = status === "connected" && chainId !== network.chainId;
  return (
    <>
      {isElsewhere ? (
        <Button onClick={() => switchChain({ chainId: network.chainId })} disabled={isPending}>
          Switch network
        </Button>
      ) : (
        <Button
          look={address ? "quiet" : "primary"}
          onClick={() => setModal(address ? "account" : "connect")}
          aria-label={address ? `Wallet ${shortAddress(address)}` : label}
        >
          <WalletIcon />
          {address ? <span className="font-mono text-xs">{shortAddress(address)}</span> : label}
        </Button>
      )}
      {modal && <WalletModal kind={modal} onClose={() => setModal(undefined)} />}
    </>
  );
}
