import { Text } from "@saleor/macaw-ui";
import type { ReactNode } from "react";
import type { CombinedError } from "urql";
import { css, Empty, Loading, Problem } from ".";

interface Props<Row> {
  /** Of the query that brings them. */
  answer: { fetching: boolean; error?: CombinedError };
  /** None until the query has answered. */
  rows: readonly Row[] | null | undefined;
  onRetry: () => void;
  /** What is said where there are none. */
  none: { title: string; help?: string; action?: ReactNode };
  skeletons?: number;
  /** Not in a card yet. */
  isAlone?: boolean;
  children: (rows: readonly Row[]) => ReactNode;
}

/** A list: while it loads, if it could not be had, if nothing is in it, and as it is. */
export function Rows<Row>(props: Props<Row>) {
  const { answer, rows, onRetry, none, skeletons, isAlone, children } = props;
  if (rows?.length) return <>{children(rows)}</>;
  if (rows) {
    const empty = (
      <Empty title={none.title}>
        {none.help && (
          <Text as="p" className={css.muted}>
            {none.help}
          </Text>
        )}
        {none.action}
      </Empty>
    );
    return isAlone ? <section className={css.card}>{empty}</section> : empty;
  }
  if (answer.error) return <Problem error={answer.error} onRetry={onRetry} />;
  return answer.fetching ? <Loading rows={skeletons} /> : null;
}
