"use client";
import { cssStringFromTheme, darkTheme, lightTheme, RainbowKitProvider, useAccountModal, useConnectModal } from "@rainbow-me/rainbowkit";
import "@rainbow-me/rainbowkit/styles.css";
import { useEffect, useRef, useState } from "react";
import { useConfig } from "wagmi";
import { useSource } from "@/queries/source.tsx";

export type WalletModalKind = "connect" | "account";

const accent = { accentColor: "var(--brand-fill)", accentColorForeground: "#fff", borderRadius: "large", fontStack: "system" } as const;
const paper = (theme: ReturnType<typeof lightTheme>) => ({
  ...theme,
  colors: {
    ...theme.colors,
    modalBackground: "var(--surface)",
    modalBorder: "var(--line)",
    modalText: "var(--ink)",
    modalTextSecondary: "var(--ink-soft)",
    modalTextDim: "var(--ink-soft)",
    closeButton: "var(--ink-soft)",
    closeButtonBackground: "var(--sunken)",
    profileForeground: "var(--page)",
    menuItemBackground: "var(--sunken)",
    generalBorder: "var(--line)",
    actionButtonSecondaryBackground: "var(--sunken)",
  },
  fonts: { body: "var(--font-sans), Inter Variable, system-ui, sans-serif" },
});

/** The chooser would write its theme as a style element, which the page's policy forbids: a sheet made by a script is allowed. */
function useSheet(kind: "light" | "dark"): void {
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`[data-rk] { ${cssStringFromTheme(paper(kind === "dark" ? darkTheme(accent) : lightTheme(accent)))} }`);
    document.adoptedStyleSheets.push(sheet);
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((known) => known !== sheet);
    };
  }, [kind]);
}

/** Opens at once; `onClose` when it was closed, by whatever. */
export default function WalletModal({ kind, onClose }: { kind: WalletModalKind; onClose: () => void }) {
  const [isDark] = useState(() => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  });
  useSheet(isDark ? "dark" : "light");
  const config = useConfig();
  const { walletConnectProjectId } = useSource();
  useEffect(() => {
    if (walletConnectProjectId === undefined) return;
    import("@/web3/walletConnect.ts").then(({ addWalletConnect }) => addWalletConnect(config, walletConnectProjectId));
  }, [config, walletConnectProjectId]);
  return (
    <RainbowKitProvider theme={null} modalSize="compact" showRecentTransactions={false} appInfo={{ appName: "ClawCompute" }}>
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
