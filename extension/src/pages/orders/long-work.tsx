/** What goes through all orders that fit: with progress, and to be stopped. */
import { Button, Text } from "@saleor/macaw-ui";
import { useEffect, useRef, useState } from "react";
import { type Client, useClient } from "urql";
import {
  type AmazonOrderFilterInput,
  BlockedOrderIdsDocument,
  RetryImportDocument,
} from "../../api/generated/graphql";
import { css } from "../../components";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { Cancelled } from "./export";

/** The most that one request takes. */
const BATCH = 1000;

export type Work = (
  client: Client,
  signal: AbortSignal,
  onProgress: (count: number) => void,
) => Promise<string>;

interface Running {
  title: string;
  done: number;
  total?: number | null;
}

/** One at a time; leaving the page stops it. */
export function useLongWork() {
  const { t } = useText();
  const client = useClient();
  const [running, setRunning] = useState<Running>();
  const [problem, setProblem] = useState<string>();
  const stop = useRef<AbortController>();
  useEffect(() => () => stop.current?.abort(), []);
  const start = async (title: string, total: number | null | undefined, work: Work) => {
    const controller = new AbortController();
    stop.current = controller;
    setProblem(undefined);
    setRunning({ title, done: 0, total });
    try {
      const said = await work(client, controller.signal, (done) =>
        setRunning({ title, done, total }),
      );
      void notify("success", said);
    } catch (error) {
      if (!(error instanceof Cancelled)) {
        setProblem(t("work.stopped", { reason: (error as Error).message }));
      }
    } finally {
      setRunning(undefined);
    }
  };
  return { running, problem, start, cancel: () => stop.current?.abort() };
}

export function Progress({ work }: { work: ReturnType<typeof useLongWork> }) {
  const { t, number } = useText();
  const { running, problem } = work;
  if (problem) {
    return (
      <div className={`${css.notice} ${css.critical}`} role="alert">
        <Text as="p" size={3}>
          {problem}
        </Text>
      </div>
    );
  }
  if (!running) return null;
  const { title, done, total } = running;
  return (
    <div className={css.notice} role="status">
      <div className={css.progress}>
        <Text as="p" size={3}>
          {title}{" "}
          {total
            ? t("work.of", { done: number(done), total: number(total) })
            : number(done)}
        </Text>
        <progress
          aria-label={title}
          max={total ?? undefined}
          value={total ? done : undefined}
        />
      </div>
      <Button variant="secondary" size="small" onClick={work.cancel}>
        {t("common.cancel")}
      </Button>
    </div>
  );
}

export async function retry(client: Client, ids: readonly string[]): Promise<number> {
  const { data, error } = await client
    .mutation(RetryImportDocument, { ids: [...ids] })
    .toPromise();
  if (error) throw error;
  const [problem] = data?.amazonOrderRetryImport?.errors ?? [];
  if (problem) throw new Error(problem.message ?? problem.code);
  return data?.amazonOrderRetryImport?.count ?? 0;
}

/** Answers how many are looked at again. */
export async function retryAll(
  client: Client,
  filter: AmazonOrderFilterInput,
  signal: AbortSignal,
  onProgress: (count: number) => void,
): Promise<number> {
  // All ids first: an order that is retried is no longer blocked, and moves the pages.
  const ids: string[] = [];
  let after: string | null | undefined;
  do {
    const { data, error } = await client
      .query(
        BlockedOrderIdsDocument,
        { filter: { ...filter, importState: ["BLOCKED"] }, after },
        { requestPolicy: "network-only" },
      )
      .toPromise();
    if (signal.aborted) throw new Cancelled();
    if (error) throw error;
    const orders = data?.amazonOrders;
    ids.push(...(orders?.edges ?? []).map(({ node }) => node.id));
    onProgress(ids.length);
    after = orders?.pageInfo.hasNextPage ? orders.pageInfo.endCursor : undefined;
  } while (after);
  let count = 0;
  for (let from = 0; from < ids.length; from += BATCH) {
    if (signal.aborted) throw new Cancelled();
    count += await retry(client, ids.slice(from, from + BATCH));
  }
  return count;
}
