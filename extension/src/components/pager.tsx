import { Button, Text } from "@saleor/macaw-ui";
import { useText } from "../i18n";
import { css } from ".";

interface Props {
  of: {
    /** None where it would be costly to count them. */
    totalCount?: number | null;
    pageInfo: {
      hasPreviousPage: boolean;
      hasNextPage: boolean;
      startCursor?: string | null;
      endCursor?: string | null;
    };
  };
  what?: "orders" | "outbox";
  onPage: (place: { before?: string; after?: string }) => void;
}

/** How many there are, and the way to the others. */
export function Pager({ of, what = "outbox", onPage }: Props) {
  const { t, number } = useText();
  const { totalCount: count, pageInfo } = of;
  return (
    <div className={css.footer}>
      <Text size={3} className={css.muted} role="status">
        {count == null
          ? t(`${what}.countMany`)
          : t(`${what}.count`, { count, shown: number(count) })}
      </Text>
      <div className={css.actions}>
        <Button
          variant="secondary"
          size="small"
          disabled={!pageInfo.hasPreviousPage}
          onClick={() => onPage({ before: pageInfo.startCursor ?? "" })}
        >
          {t("common.previous")}
        </Button>
        <Button
          variant="secondary"
          size="small"
          disabled={!pageInfo.hasNextPage}
          onClick={() => onPage({ after: pageInfo.endCursor ?? "" })}
        >
          {t("common.next")}
        </Button>
      </div>
    </div>
  );
}
