/** Money under way: as far as the deposit has gone, and moving while it goes. */
export function Flow({ share, isMoving }: { share: number; isMoving: boolean }) {
  return (
    <div className="h-1.5 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
      <div
        className={`h-full min-w-1.5 rounded-full ${isMoving ? "stream-line animate-flow" : "bg-money"}`}
        style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }}
      />
    </div>
  );
}
