import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import "./globals.css";
import { THEME_COOKIE } from "@/components/ui/theme.ts";
import { pageSettings, runtimeNetwork } from "@/web3/runtimeNetwork.ts";
import { ForgottenStreams } from "./_components/ForgottenStreams.tsx";
import { Header } from "./_components/Header.tsx";
import { Providers } from "./providers.tsx";

export const metadata: Metadata = {
  title: { default: "ClawCompute", template: "%s · ClawCompute" },
  description: "Inference priced and paid by the second, straight from your wallet.",
};
export const viewport: Viewport = { width: "device-width", initialScale: 1, colorScheme: "light dark" };

// The policy forbids compiling in the page, so the checks of answers must not try to; and libraries that write style elements need its nonce.
const beforeLibraries = "globalThis.__zod_globalConfig={jitless:true};globalThis.__webpack_nonce__=document.currentScript.nonce";

export default async function Layout({ children }: { children: ReactNode }) {
  // Reading the cookie makes every page dynamic: network and theme are known at request time, not at build time.
  const theme = (await cookies()).get(THEME_COOKIE)?.value;
  const nonce = (await headers()).get("x-nonce") ?? undefined;
  const network = runtimeNetwork();
  return (
    <html lang="en" {...(theme === "dark" || theme === "light" ? { "data-theme": theme } : {})}>
      <body className="min-h-dvh font-sans antialiased">
        <script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: beforeLibraries }} />
        <a
          href="#main"
          className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded focus:bg-surface focus:p-2"
        >
          Skip to content
        </a>
        <Providers network={network} settings={pageSettings()}>
          <Header />
          <ForgottenStreams />
          <main id="main" className="mx-auto w-full max-w-6xl px-4 pt-6 pb-20 sm:px-6 sm:pt-10">
            {children}
          </main>
        </Providers>
      </body>
    </html>
  );
}
