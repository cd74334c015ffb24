import type { ReactNode } from "react";

const icon = (paths: ReactNode) =>
  function Icon({ className = "size-4" }: { className?: string }) {
    return (
      <svg
        aria-hidden="true"
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
        className={className}
      >
        {paths}
      </svg>
    );
  };

export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.400M5.6 18.4 7 17M17 7l1.4-1.4" />
  </>,
);
export const MoonIcon = icon(<path d="M20 14.500A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.500Z" />);
export const WalletIcon = icon(
  <>
    <rect x="3" y="6" width="18" height="13" rx="3" />
    <path d="M3 10h18M16.5 14.500h.01" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </>,
);
export const ArrowIcon = icon(<path d="M5 12h14M13 6l6 6-6 6" />);
export const StopIcon = icon(<rect x="6.5" y="6.5" width="11" height="11" rx="2" />);
export const AlertIcon = icon(<path d="M12 4 2.8 20h18.400L12 4ZM12 10v4.500M12 17.300h.01" />);
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.500L19 7.5" />);
