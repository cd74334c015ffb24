"use client";
import { darkTheme, lightTheme, RainbowKitProvider, useAccountModal, useConnectModal } from "@rainbow-me/rainbowkit";
import "@rainbow-me/rainbowkit/styles.css";
import { useEffect, useRef, useState } from "react";

export type WalletModalKind = "connect" | "account";

const accent = { accentColor: "var(--brand-fill)", accentColorForeground: "#fff", borderRadius: "medium", fontStack: "system" } as const;

/** Opens at once; `onClose` when it was closed, by whatever. */
export default function WalletModal({ kind, onClose }: { kind: WalletModalKind; onClose: () => void }) {
  const [chosen] = useState(() => document.documentElement.dataset.theme);
  const [light, dark] = [lightTheme(accent), darkTheme(accent)];
  const theme = chosen === "dark" ? dark : chosen === "light" ? light : { lightMode: light, darkMode: dark };
  return (
    <RainbowKitProvider theme={theme} modalSize="compact" showRecentTransactions={false} appInfo={{ appName: "ClawCompute" }}>
      <Opener kind={kind} onClose={onClose} />
    </RainbowKitProvider>
  );
}

function Opener({ kind, onClose }: { kind: WalletModalKind; onClose: () => void }) {
  const { openConnectModal, connectModalOpen } = useConnectModal();
  const { openAccountModal, accountModalOpen } = useAccountModal();
  const open = kind === "connect" ? openConnectModal : openAccountModal;
  const isOpen = connectModalOpen || accountModalOpen;
  const opened = useRef(false);
  const asked = useRef(false);
  useEffect(() => {
    if (!asked.current && open) {
      asked.current = true;
      open();
    }
  }, [open]);
  useEffect(() => {
    if (isOpen) opened.current = true;
    else if (opened.current) {
      // It slides out before it may be taken away.
      const timer = setTimeout(onClose, 250);
      return () => clearTimeout(timer);
    }
  }, [isOpen, onClose]);
  return null;
}
