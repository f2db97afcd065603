import { Text } from "@saleor/macaw-ui";
import type { ReactNode } from "react";
import type { CombinedError } from "urql";
import { css, Empty, Loading, Problem } from ".";

interface AnswerProps<Data> {
  /** Of a query. */
  answer: { data?: Data; fetching: boolean; error?: CombinedError };
  onRetry: () => void;
  skeletons?: number;
  children: (data: Data) => ReactNode;
}

/** What a query answered: while it loads, if it could not be had, and as it is. */
export function Answer<Data>({ answer, onRetry, skeletons, children }: AnswerProps<Data>) {
  const { data, error, fetching } = answer;
  if (data != null) return <>{children(data)}</>;
  if (error) return <Problem error={error} onRetry={onRetry} />;
  return fetching ? <Loading rows={skeletons} /> : null;
}

interface RowsProps<Row> extends Omit<AnswerProps<unknown>, "children"> {
  /** None until the query has answered. */
  rows: readonly Row[] | null | undefined;
  /** What is said where there are none. */
  none: { title: string; help?: string; action?: ReactNode };
  /** Not in a card yet. */
  isAlone?: boolean;
  children: (rows: readonly Row[]) => ReactNode;
}

/** The same of a list, and where nothing is in it. */
export function Rows<Row>({ answer, rows, children, ...rest }: RowsProps<Row>) {
  return (
    <Answer
      answer={{ ...answer, data: rows ?? undefined }}
      onRetry={rest.onRetry}
      skeletons={rest.skeletons}
    >
      {(all) => (all.length ? children(all) : <Nothing {...rest} />)}
    </Answer>
  );
}

function Nothing({ none, isAlone }: Pick<RowsProps<unknown>, "none" | "isAlone">) {
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
