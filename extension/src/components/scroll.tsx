import { type PropsWithChildren, useEffect, useRef, useState } from "react";
import { css } from ".";

/** Holds what may be wider than the window; then the keyboard can scroll it as well. */
export function Scroll({
  className = css.scroll,
  children,
}: PropsWithChildren<{ className?: string }>) {
  const box = useRef<HTMLDivElement>(null);
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() =>
      setWide(
        element.scrollWidth > element.clientWidth ||
          element.scrollHeight > element.clientHeight,
      ),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className={className} tabIndex={isWide ? 0 : undefined}>
      {children}
    </div>
  );
}
