import { Text } from "@saleor/macaw-ui";
import type { OverviewQuery } from "../../api/generated/graphql";
import { Card, css, Fields } from "../../components";
import { Scroll } from "../../components/scroll";
import { useText } from "../../i18n";

type Currency = OverviewQuery["amazonSalesSummary"]["currencies"][number];

/** The next round number above: 1, 2 or 5 times a power of ten. */
export function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

const HEIGHT = 100;
const STEP = 10;
const WIDTH = 7;

/** What was sold in one currency: bars by day, and the same numbers as a table. */
export function SalesCard({ sales, title }: { sales: Currency; title: string }) {
  const { t, money, day, number } = useText();
  const most = ceiling(Math.max(...sales.days.map(({ total }) => total.amount)));
  const orders = (count: number) => t("orders.count", { count, shown: number(count) });
  const [first, last] = [sales.days.at(0), sales.days.at(-1)];
  return (
    <Card title={title}>
      <Fields
        rows={[
          [
            t("sales.period", { days: sales.days.length }),
            `${money(sales.period.total)} · ${orders(sales.period.orderCount)}`,
          ],
          [
            t("sales.lifetime"),
            `${money(sales.lifetime.total)} · ${orders(sales.lifetime.orderCount)}`,
          ],
        ]}
      />
      <figure className={css.chart}>
        <div className={css.chartTop} aria-hidden>
          {money({ amount: most, currency: sales.currency })}
        </div>
        <svg
          role="img"
          aria-label={t("sales.chart", {
            total: money(sales.period.total),
            days: sales.days.length,
          })}
          viewBox={`0 0 ${sales.days.length * STEP} ${HEIGHT}`}
          preserveAspectRatio="none"
        >
          {sales.days.map(({ date, total, orderCount }, index) => {
            const height = (total.amount / most) * HEIGHT;
            return (
              <rect
                key={date}
                x={index * STEP + (STEP - WIDTH) / 2}
                width={WIDTH}
                // A day with sales is seen, however small they were.
                y={HEIGHT - Math.max(height, orderCount ? 1 : 0)}
                height={Math.max(height, orderCount ? 1 : 0)}
              >
                <title>{`${day(date)}: ${money(total)} · ${orders(orderCount)}`}</title>
              </rect>
            );
          })}
        </svg>
        <div className={css.chartBottom} aria-hidden>
          <span>{first && day(first.date)}</span>
          <span>{last && day(last.date)}</span>
        </div>
      </figure>
      <details className={css.more}>
        <summary>{t("sales.table")}</summary>
        <Scroll className={css.chartTable}>
          <table className={css.table}>
            <caption>{title}</caption>
            <thead>
              <tr>
                <th scope="col">{t("sales.day")}</th>
                <th scope="col" className={css.end}>
                  {t("order.total")}
                </th>
                <th scope="col" className={css.end}>
                  {t("orders.title")}
                </th>
                <th scope="col" className={css.end}>
                  {t("sales.units")}
                </th>
              </tr>
            </thead>
            <tbody>
              {[...sales.days].reverse().map(({ date, total, orderCount, unitCount }) => (
                <tr key={date}>
                  <th scope="row">{day(date)}</th>
                  <td className={css.end}>{money(total)}</td>
                  <td className={css.end}>{number(orderCount)}</td>
                  <td className={css.end}>{number(unitCount)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </Card>
  );
}

export const NoSales = () => {
  const { t } = useText();
  return (
    <Card title={t("sales.title")}>
      <Text as="p" size={3} className={css.muted}>
        {t("sales.none")}
      </Text>
    </Card>
  );
};
