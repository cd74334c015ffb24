/** What stands for an answer's money besides a stream's deposit: it is asked all the time, so it answers from memory. */
export interface Cover {
  readonly kind: "channel" | "balance";
  /** Time that is paid for, and the one step of credit that a running answer has. Work stops at zero. */
  runwayMs(): number;
  /** Throws VOUCHER_NEEDED or BALANCE_TOO_LOW when there is too little to begin with. */
  assertMayBegin(): void;
  /** An answer begins; `needMore` is told when money runs low, and again when it is used up. */
  begin(needMore: (event: { readonly event: string; readonly data: string }) => void): UnderWay;
  /** Output waits for money until this resolves; undefined: it need not. */
  whenCovered(): Promise<void> | undefined;
}

export interface UnderWay {
  /** Nothing is worked on any more: its time stands. May be called again. */
  end(): void;
  /** Its time is in the store, or was not charged. */
  close(): Promise<void>;
}
