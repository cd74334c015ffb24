"use client";
import { usePathname } from "next/navigation";
import { ConnectWallet } from "@/components/chain/ConnectWallet.tsx";
import { NetworkBadge } from "@/components/chain/NetworkBadge.tsx";
import { PageLink } from "@/components/ui/PageLink.tsx";
import { ThemeToggle } from "@/components/ui/ThemeToggle.tsx";

const pages = [
  { href: "/", name: "Market" },
  { href: "/chat", name: "Chat" },
  { href: "/streams", name: "My streams" },
  { href: "/provide", name: "Provide" },
  { href: "/keep", name: "Keep" },
  { href: "/network", name: "Network" },
  { href: "/activity", name: "Activity" },
];

export function Header() {
  const path = usePathname();
  return (
    <header className="border-line border-b bg-surface">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-5 px-4 sm:px-6 lg:h-16 lg:flex-nowrap">
        <PageLink
          href="/"
          className="flex h-14 shrink-0 items-center gap-2.5 font-semibold tracking-tight"
          aria-label="ClawCompute, market"
        >
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span className="text-[1.05rem]">
            Claw<span className="text-brand">Compute</span>
          </span>
        </PageLink>
        <nav
          aria-label="Pages"
          className="scroll-quiet order-last -mx-4 flex w-[calc(100%+2rem)] gap-1 overflow-x-auto px-2 pb-1.5 lg:order-none lg:mx-0 lg:w-auto lg:overflow-visible lg:px-0 lg:pb-0"
        >
          {pages.map(({ href, name }) => {
            const here = href === "/" ? path === "/" || path.startsWith("/providers/") : path === href || path.startsWith(`${href}/`);
            return (
              <PageLink
                key={href}
                href={href}
                aria-current={here ? "page" : undefined}
                className={`relative whitespace-nowrap rounded-lg px-2.5 py-2 text-sm transition-colors ${
                  here
                    ? "font-medium text-ink after:absolute after:inset-x-2.5 after:-bottom-0.5 after:h-0.5 after:rounded-full after:bg-brand lg:after:-bottom-[0.95rem]"
                    : "text-soft hover:text-ink"
                }`}
              >
                {name}
              </PageLink>
            );
          })}
        </nav>
        <div className="ml-auto flex shrink-0 items-center gap-1 sm:gap-2">
          <NetworkBadge />
          <ThemeToggle />
          <ConnectWallet />
        </div>
      </div>
    </header>
  );
}
