import { Button } from "@saleor/macaw-ui";
import {
  type PropsWithChildren,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { css } from ".";

interface Props {
  label: ReactNode;
  /** Of the panel, where the label is not enough. */
  name: string;
}

/** A button with a small panel below it. Escape and a click elsewhere close it. */
export function Menu({ label, name, children }: PropsWithChildren<Props>) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("focusin", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("focusin", close);
    };
  }, [isOpen]);
  return (
    <div
      ref={box}
      className={css.menu}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        setOpen(false);
        box.current?.querySelector("button")?.focus();
      }}
    >
      <Button
        type="button"
        variant="secondary"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        {label}
      </Button>
      {isOpen && (
        <section id={id} className={css.menuPanel} aria-label={name}>
          {children}
        </section>
      )}
    </div>
  );
}
