import { Button, Text } from "@saleor/macaw-ui";
import { useText } from "../i18n";
import { css } from ".";

interface Props {
  /** How many there are, in words. */
  count: string;
  pageInfo: {
    hasPreviousPage: boolean;
    hasNextPage: boolean;
    startCursor?: string | null;
    endCursor?: string | null;
  };
  onPage: (place: { before?: string; after?: string }) => void;
}

export function Pager({ count, pageInfo, onPage }: Props) {
  const { t } = useText();
  return (
    <div className={css.footer}>
      <Text size={3} className={css.muted} role="status">
        {count}
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
