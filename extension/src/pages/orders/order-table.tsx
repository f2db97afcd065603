import { ChevronRight } from "lucide-react";
import type { OrderRowFragment } from "../../api/generated/graphql";
import { Badge, css } from "../../components";
import { ImportState, Status } from "../../components/states";
import { Link, shopOrderPath } from "../../dashboard/router";
import { useText } from "../../i18n";

/** Amazon's orders; the number leads to the shop's order, or to Amazon's details. */
export function OrderTable({ orders }: { orders: readonly OrderRowFragment[] }) {
  const { t } = useText();
  return (
    <table className={css.table}>
      <caption>{t("orders.title")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("order.number")}</th>
          <th scope="col">{t("order.placed")}</th>
          <th scope="col">{t("order.status")}</th>
          <th scope="col">{t("order.buyer")}</th>
          <th scope="col">{t("order.inShop")}</th>
          <th scope="col">{t("order.shipBy")}</th>
          <th scope="col" className={css.end}>
            {t("order.total")}
          </th>
          <th scope="col">{t("order.note")}</th>
          <th scope="col">
            <span className={css.hidden}>{t("order.details")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {orders.map((order) => (
          <Row key={order.id} order={order} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ order }: { order: OrderRowFragment }) {
  const { t, date, deadline, money } = useText();
  const details = `/orders/${encodeURIComponent(order.amazonOrderId)}`;
  const isOpen = ["UNSHIPPED", "PARTIALLY_SHIPPED"].includes(order.fulfillmentStatus);
  return (
    <tr>
      <td className={css.nowrap}>
        {order.orderId ? (
          <Link className={css.link} in="dashboard" to={shopOrderPath(order.orderId)}>
            {order.amazonOrderId}
          </Link>
        ) : (
          <Link className={css.link} to={details}>
            {order.amazonOrderId}
          </Link>
        )}
      </td>
      <td className={css.nowrap}>{date(order.createdAt)}</td>
      <td>
        <Status status={order.fulfillmentStatus} />
      </td>
      <td className={css.nowrap}>{order.buyerName ?? "–"}</td>
      <td>
        <ImportState state={order.importState} />
      </td>
      <td className={css.nowrap}>{isOpen ? deadline(order.shipBy) : "–"}</td>
      <td className={css.end}>{money(order.total)}</td>
      <td className={css.note}>
        {order.isCancellationRequested && (
          <Badge tone="attention">{t("order.cancellationRequested")}</Badge>
        )}{" "}
        {order.blockers[0]?.message ?? order.note}
      </td>
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
    </tr>
  );
}
