import {
  ArrowUp,
  Check,
  ChevronDown,
  Copy,
  Download,
  ExternalLink,
  ImageOff,
  type LucideIcon,
  MessageSquare,
  MessageSquarePlus,
  Moon,
  Plus,
  Search,
  ShieldAlert,
  ShieldCheck,
  Shuffle,
  Square,
  Sun,
  Trash2,
  TriangleAlert,
  Wallet,
  X,
} from "lucide-react";

/** Lucide's drawings in one weight and size; decoration, so hidden from readers aloud. */
const icon = (Drawing: LucideIcon) =>
  function Icon({ className = "size-4" }: { className?: string }) {
    return <Drawing aria-hidden="true" strokeWidth={1.8} className={`shrink-0 ${className}`} />;
  };

export const SunIcon = /* @__PURE__ */ icon(Sun);
export const MoonIcon = /* @__PURE__ */ icon(Moon);
export const WalletIcon = /* @__PURE__ */ icon(Wallet);
export const SearchIcon = /* @__PURE__ */ icon(Search);
export const ArrowIcon = /* @__PURE__ */ icon(ArrowUp);
export const StopIcon = /* @__PURE__ */ icon(Square);
export const AlertIcon = /* @__PURE__ */ icon(TriangleAlert);
export const CheckIcon = /* @__PURE__ */ icon(Check);
export const CloseIcon = /* @__PURE__ */ icon(X);
export const CopyIcon = /* @__PURE__ */ icon(Copy);
export const ChevronIcon = /* @__PURE__ */ icon(ChevronDown);
export const DownloadIcon = /* @__PURE__ */ icon(Download);
export const ExternalIcon = /* @__PURE__ */ icon(ExternalLink);
export const ImageOffIcon = /* @__PURE__ */ icon(ImageOff);
export const ChatIcon = /* @__PURE__ */ icon(MessageSquare);
export const NewChatIcon = /* @__PURE__ */ icon(MessageSquarePlus);
export const PlusIcon = /* @__PURE__ */ icon(Plus);
export const VerifiedIcon = /* @__PURE__ */ icon(ShieldCheck);
export const UnverifiedIcon = /* @__PURE__ */ icon(ShieldAlert);
export const RedirectIcon = /* @__PURE__ */ icon(Shuffle);
export const DeleteIcon = /* @__PURE__ */ icon(Trash2);
