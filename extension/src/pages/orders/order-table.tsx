import { ArrowDown, ArrowUp, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import type { OrderRowFragment } from "../../api/generated/graphql";
import { Badge, css } from "../../components";
import { ImportState, Status } from "../../components/states";
import { Link, shopOrderPath } from "../../dashboard/router";
import { useText } from "../../i18n";
import { useTold } from "../../i18n/told";
import { COLUMNS, type Column, type ColumnId, DEFAULT_COLUMNS, FIXED } from "./columns";

export type Row = OrderRowFragment & { buyerName?: string | null };

interface Props {
  orders: readonly Row[];
  caption?: string;
  columns?: readonly ColumnId[];
  /** As in the address: `-TOTAL`. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** Given, blocked orders can be chosen. */
  chosen?: ReadonlySet<string>;
  onChoose?: (chosen: ReadonlySet<string>) => void;
}

export const isBlocked = ({ importState }: Row) => importState === "BLOCKED";

/** Amazon's orders; the number leads to the shop's order, or to Amazon's details. */
export function OrderTable(props: Props) {
  const {
    orders,
    caption,
    columns = DEFAULT_COLUMNS,
    sort,
    onSort,
    chosen,
    onChoose,
  } = props;
  const { t } = useText();
  const shown = COLUMNS.filter(({ id }) => columns.includes(id));
  const blocked = chosen ? orders.filter(isBlocked) : [];
  const areAllChosen = blocked.every(({ id }) => chosen?.has(id));
  const toggle = (ids: readonly string[], isChosen: boolean) => {
    const after = new Set(chosen);
    for (const id of ids) isChosen ? after.add(id) : after.delete(id);
    onChoose?.(after);
  };
  return (
    <table className={css.table}>
      <caption>{caption ?? t("orders.title")}</caption>
      <thead>
        <tr>
          {blocked.length > 0 && (
            <th scope="col">
              <input
                type="checkbox"
                aria-label={t("orders.chooseAll")}
                checked={areAllChosen}
                onChange={(event) =>
                  toggle(
                    blocked.map(({ id }) => id),
                    event.target.checked,
                  )
                }
              />
            </th>
          )}
          {shown.map((column) => (
            <Head key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
          <th scope="col">
            <span className={css.hidden}>{t("order.details")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {orders.map((order) => (
          <tr key={order.id}>
            {blocked.length > 0 && (
              <td>
                {isBlocked(order) && (
                  <input
                    type="checkbox"
                    aria-label={t("orders.choose", { number: order.amazonOrderId })}
                    checked={chosen?.has(order.id) ?? false}
                    onChange={(event) => toggle([order.id], event.target.checked)}
                  />
                )}
              </td>
            )}
            <Cells order={order} columns={shown.map(({ id }) => id)} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps {
  column: Column;
  sort?: string;
  onSort?: (sort: string) => void;
}

function Head({ column, sort, onSort }: HeadProps) {
  const { t } = useText();
  const className = column.isEnd ? css.end : undefined;
  const field = column.sort;
  if (!field || !onSort) {
    return (
      <th scope="col" className={className}>
        {t(column.label)}
      </th>
    );
  }
  const first = column.isDescendingFirst ? `-${field}` : field;
  const other = column.isDescendingFirst ? field : `-${field}`;
  const direction = sort === field ? "ascending" : "descending";
  const isSorted = sort === field || sort === `-${field}`;
  const Arrow = direction === "ascending" ? ArrowUp : ArrowDown;
  return (
    <th scope="col" className={className} aria-sort={isSorted ? direction : undefined}>
      <button
        type="button"
        className={css.sort}
        onClick={() => onSort(sort === first ? other : first)}
      >
        {t(column.label)}
        {isSorted && <Arrow size={14} aria-hidden />}
      </button>
    </th>
  );
}

function Cells({ order, columns }: { order: Row; columns: readonly ColumnId[] }) {
  const { t, of, date, time, deadline, money, marketplace } = useText();
  const { blocker } = useTold();
  const details = `/orders/${encodeURIComponent(order.amazonOrderId)}`;
  const isOpen = ["UNSHIPPED", "PARTIALLY_SHIPPED"].includes(order.fulfillmentStatus);
  const content: Record<ColumnId, () => ReactNode> = {
    number: () =>
      order.orderId ? (
        <Link className={css.link} in="dashboard" to={shopOrderPath(order.orderId)}>
          {order.amazonOrderId}
        </Link>
      ) : (
        <Link className={css.link} to={details}>
          {order.amazonOrderId}
        </Link>
      ),
    placed: () => date(order.createdAt),
    status: () => <Status status={order.fulfillmentStatus} />,
    buyer: () => order.buyerName ?? "–",
    state: () => <ImportState state={order.importState} />,
    shipBy: () => (isOpen ? deadline(order.shipBy) : "–"),
    total: () => money(order.total),
    marketplace: () => marketplace(order.marketplaceId) ?? order.marketplaceName ?? "–",
    shopNumber: () => order.orderNumber ?? "–",
    fulfilledBy: () => of("fulfilledBy", order.fulfilledBy),
    updated: () => time(order.updatedAt),
    note: () => (
      <>
        {order.isCancellationRequested && (
          <Badge tone="attention">{t("order.cancellationRequested")}</Badge>
        )}{" "}
        {order.blockers[0] ? (
          blocker(order.blockers[0])
        ) : (
          <span lang="en">{order.note}</span>
        )}
      </>
    ),
  };
  const classes: Partial<Record<ColumnId, string>> = {
    buyer: css.name,
    total: css.end,
    note: css.note,
  };
  return (
    <>
      {columns.map((id) =>
        id === FIXED ? (
          <th key={id} scope="row" className={css.nowrap}>
            {content[id]()}
          </th>
        ) : (
          <td key={id} className={classes[id] ?? css.nowrap}>
            {content[id]()}
          </td>
        ),
      )}
      <td className={css.nowrap}>
        <Link
          className={css.link}
          to={details}
          title={t("order.details")}
          aria-label={t("order.detailsOf", { number: order.amazonOrderId })}
        >
          <ChevronRight size={18} aria-hidden />
        </Link>
      </td>
    </>
  );
}
