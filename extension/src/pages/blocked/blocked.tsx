import { useQuery } from "urql";
import { BlockersDocument, type BlockersQuery } from "../../api/generated/graphql";
import { css, InEnglish, Page } from "../../components";
import { Rows } from "../../components/answer";
import { Scroll } from "../../components/scroll";
import { address, Link } from "../../dashboard/router";
import { useText } from "../../i18n";
import { useTold } from "../../i18n/told";
import { Fix } from "./fix";

type Cause = Pick<
  BlockersQuery["amazonBlockers"][number],
  "code" | "subject" | "accountId" | "marketplaceId"
>;

/** Blocked orders by what blocks them, with where each is put right. */
export default function Blocked() {
  const { t, of, number, marketplace } = useText();
  const { blocker } = useTold();
  const [answer, refetch] = useQuery({ query: BlockersDocument });
  return (
    <Page title={t("blocked.title")}>
      <section className={css.card} aria-label={t("blocked.title")}>
        <Rows
          answer={answer}
          rows={answer.data?.amazonBlockers}
          onRetry={refetch}
          none={{ title: t("blocked.none"), help: t("blocked.noneHelp") }}
        >
          {(causes) => (
            <Scroll>
              <table className={css.table}>
                <caption>{t("blocked.title")}</caption>
                <thead>
                  <tr>
                    <th scope="col">{t("blocked.cause")}</th>
                    <th scope="col">{t("order.marketplace")}</th>
                    <th scope="col">{t("blocked.what")}</th>
                    <th scope="col" className={css.end}>
                      {t("blocked.orders")}
                    </th>
                    <th scope="col">
                      <span className={css.hidden}>{t("blocked.action")}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {causes.map((cause) => (
                    <tr
                      key={`${cause.accountId} ${cause.marketplaceId} ${cause.code} ${cause.subject}`}
                    >
                      <td className={css.nowrap}>{of("blocker", cause.code)}</td>
                      <td>{marketplace(cause.marketplaceId) ?? "–"}</td>
                      <td>
                        {blocker(cause)}
                        <InEnglish text={cause.message} />
                      </td>
                      <td className={css.end}>{number(cause.orderCount)}</td>
                      <td className={css.nowrap}>
                        <Link className={css.link} to={address("/orders", ordersOf(cause))}>
                          {t("blocked.showOrders")}
                        </Link>
                        <Fix cause={cause} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
        </Rows>
      </section>
    </Page>
  );
}

/** The filter that finds them. Without a channel they are not blocked: they wait. */
export const ordersOf = ({ code, subject, accountId, marketplaceId }: Cause) => ({
  ...(code === "NOT_MAPPED"
    ? { state: "WAITING", status: "UNSHIPPED,PARTIALLY_SHIPPED", by: "MERCHANT" }
    : { state: "BLOCKED", code, cause: subject }),
  account: accountId,
  marketplace: marketplaceId,
});
