"use client";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { useAccount } from "wagmi";

// Needed by nobody who has no wallet connected.
const Found = dynamic(() => import("./FoundStreams.tsx"), { ssr: false });

/** Open streams of this wallet that no conversation here pays with: money that goes on by the clock until somebody ends it. */
export function ForgottenStreams() {
  const { address } = useAccount();
  const isListed = usePathname().startsWith("/streams");
  return address && !isListed ? <Found payer={address} /> : null;
}
