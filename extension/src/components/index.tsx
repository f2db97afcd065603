/** The few parts that all pages are made of, in the Dashboard's looks. */
import { Button, Skeleton, Text } from "@saleor/macaw-ui";
import { ArrowLeft } from "lucide-react";
import { type PropsWithChildren, type ReactNode, useEffect } from "react";
import type { CombinedError } from "urql";
import { missingPermission } from "../api/client";
import { Link } from "../dashboard/router";
import { useText } from "../i18n";
import css from "./components.module.css";
import { Scroll } from "./scroll";

export { css };

interface PageProps {
  title: string;
  badges?: ReactNode;
  actions?: ReactNode;
  back?: { to: string; label: string; in?: "app" | "dashboard" };
}

export function Page({
  title,
  badges,
  actions,
  back,
  children,
}: PropsWithChildren<PageProps>) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className={css.page}>
      <header className={css.header}>
        <div className={css.title}>
          {back && (
            <Link className={css.back} to={back.to} in={back.in} aria-label={back.label}>
              <ArrowLeft size={20} aria-hidden />
            </Link>
          )}
          <Text as="h1" size={8} fontWeight="medium" tabIndex={-1}>
            {title}
          </Text>
          {badges}
        </div>
        <div className={css.actions}>{actions}</div>
      </header>
      {children}
    </div>
  );
}

/** The server's words, which are English, below what was said of them. */
export function InEnglish({ text }: { text: string }) {
  const { t } = useText();
  return (
    <details className={css.more}>
      <summary>{t("blocked.details")}</summary>
      <span lang="en">{text}</span>
    </details>
  );
}

interface CardProps {
  title: string;
  actions?: ReactNode;
  /** Tables reach to the edges. */
  isFlush?: boolean;
}

export function Card({ title, actions, isFlush, children }: PropsWithChildren<CardProps>) {
  return (
    <section className={css.card} aria-label={title}>
      <div className={css.cardHead}>
        <Text as="h2" size={5} fontWeight="medium">
          {title}
        </Text>
        {actions}
      </div>
      {isFlush ? (
        <Scroll>{children}</Scroll>
      ) : (
        <div className={css.cardBody}>{children}</div>
      )}
    </section>
  );
}

export type Tone = "neutral" | "good" | "bad" | "busy" | "attention";

/** A state in words; the colour only says it again. */
export const Badge = ({
  tone = "neutral",
  children,
}: PropsWithChildren<{ tone?: Tone }>) => (
  <span className={`${css.badge} ${css[tone]}`}>{children}</span>
);

/** Names and values; those without a value are left out. */
export const Fields = ({ rows }: { rows: [string, ReactNode][] }) => (
  <dl className={css.fields}>
    {rows
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [
        <dt key={name}>{name}</dt>,
        <dd key={`${name} value`}>{value}</dd>,
      ])}
  </dl>
);

export function Loading({ rows = 6 }: { rows?: number }) {
  const { t } = useText();
  return (
    <div className={css.skeletons} role="status" aria-label={t("common.loading")}>
      {Array.from({ length: rows }, (_, index) => `row ${index}`).map((key) => (
        <Skeleton key={key} />
      ))}
    </div>
  );
}

export const Empty = ({ title, children }: PropsWithChildren<{ title: string }>) => (
  <div className={css.empty}>
    <Text as="h2" size={5} fontWeight="medium">
      {title}
    </Text>
    {children}
  </div>
);

/** What went wrong, and what to do. */
export function Problem({
  error,
  onRetry,
}: {
  error: CombinedError;
  onRetry?: () => void;
}) {
  const { t } = useText();
  const permission = missingPermission(error);
  // Nothing went wrong: somebody else is to do it.
  if (permission)
    return (
      <Notice>
        <Text as="p">{t("problem.permission", { permission })}</Text>
      </Notice>
    );
  const text = error.networkError
    ? t("problem.network")
    : error.graphQLErrors.map((each) => each.message).join(" ");
  return (
    <div className={`${css.notice} ${css.critical}`} role="alert">
      <Text as="p">{text}</Text>
      {onRetry && (
        <Button variant="secondary" size="small" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

interface NoticeProps {
  tone?: "critical" | "warning";
  action?: ReactNode;
}

export const Notice = ({ tone, action, children }: PropsWithChildren<NoticeProps>) => (
  <div className={`${css.notice} ${tone ? css[tone] : ""}`}>
    <div>{children}</div>
    {action}
  </div>
);

interface MutationError {
  field?: string | null;
  message?: string | null;
}

/** Errors of a mutation by field; those of no field of the form are under "". */
export function byField(errors: readonly MutationError[], fields: readonly string[]) {
  const found: Record<string, string> = {};
  for (const { field, message } of errors) {
    const key = field && fields.includes(field) ? field : "";
    found[key] = [found[key], message].filter(Boolean).join(" ");
  }
  return found;
}

export const FormError = ({ text }: { text?: string | null }) =>
  text ? (
    <div className={`${css.notice} ${css.critical}`} role="alert">
      <Text as="p">{text}</Text>
    </div>
  ) : null;
