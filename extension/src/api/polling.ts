import { useEffect, useRef } from "react";

/** Asks again every so often while something is under way and somebody looks. */
export function usePolling(isUnderWay: boolean, again: () => void, seconds = 5) {
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [isUnderWay, seconds]);
}
