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
  Receipt,
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

export const SunIcon = icon(Sun);
export const MoonIcon = icon(Moon);
export const WalletIcon = icon(Wallet);
export const SearchIcon = icon(Search);
export const ArrowIcon = icon(ArrowUp);
export const StopIcon = icon(Square);
export const AlertIcon = icon(TriangleAlert);
export const CheckIcon = icon(Check);
export const CloseIcon = icon(X);
export const CopyIcon = icon(Copy);
export const ChevronIcon = icon(ChevronDown);
export const DownloadIcon = icon(Download);
export const ExternalIcon = icon(ExternalLink);
export const ImageOffIcon = icon(ImageOff);
export const ChatIcon = icon(MessageSquare);
export const NewChatIcon = icon(MessageSquarePlus);
export const PlusIcon = icon(Plus);
export const ReceiptIcon = icon(Receipt);
export const VerifiedIcon = icon(ShieldCheck);
export const UnverifiedIcon = icon(ShieldAlert);
export const RedirectIcon = icon(Shuffle);
export const DeleteIcon = icon(Trash2);
