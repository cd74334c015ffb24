export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Keeps what is logged, to be asserted on, and prints nothing. */
export function createRecordingLogger() {
  const records: LogRecord[] = [];
  const at = (level: LogRecord["level"]) => (fields: object, message: string) => {
    records.push({ level, fields: fields as Record<string, unknown>, message });
  };
  return { records, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
