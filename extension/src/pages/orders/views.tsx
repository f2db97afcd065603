import { Button, Text } from "@saleor/macaw-ui";
import { X } from "lucide-react";
import { useState } from "react";
import { css, FormError } from "../../components";
import { CheckField, TextField } from "../../components/fields";
import { Menu } from "../../components/menu";
import { navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { COLUMNS, type ColumnId, DEFAULT_COLUMNS, FIXED } from "./columns";
import type { Preferences, View } from "./preferences";

interface ColumnsProps {
  columns: readonly ColumnId[];
  onChange: (columns: readonly ColumnId[]) => void;
}

export function ColumnMenu({ columns, onChange }: ColumnsProps) {
  const { t } = useText();
  return (
    <Menu label={t("columns.title")} name={t("columns.title")}>
      {COLUMNS.filter(({ id }) => id !== FIXED).map(({ id, label }) => (
        <CheckField
          key={id}
          label={t(label)}
          isChecked={columns.includes(id)}
          onChange={(isChecked) =>
            onChange(
              COLUMNS.map((column) => column.id).filter((each) =>
                each === id ? isChecked : columns.includes(each),
              ),
            )
          }
        />
      ))}
      <Button
        type="button"
        variant="tertiary"
        size="small"
        onClick={() => onChange(DEFAULT_COLUMNS)}
      >
        {t("columns.usual")}
      </Button>
    </Menu>
  );
}

interface ViewsProps {
  views: readonly View[];
  /** The query of the address as it is now, without the place in the list. */
  query: string;
  onSave: (changes: Partial<Preferences>) => Promise<string | undefined>;
}

export function ViewMenu({ views, query, onSave }: ViewsProps) {
  const { t } = useText();
  const [name, setName] = useState("");
  const [error, setError] = useState<string>();
  const current = views.find((view) => view.query === query);
  const save = async (changed: View[]) => setError(await onSave({ views: changed }));
  const add = async () => {
    const wanted = name.trim();
    if (!wanted) return;
    // One of the same name is replaced.
    await save([...views.filter((view) => view.name !== wanted), { name: wanted, query }]);
    setName("");
  };
  return (
    <Menu label={current?.name ?? t("views.title")} name={t("views.title")}>
      {views.length === 0 && (
        <Text as="p" size={2} className={css.muted}>
          {t("views.none")}
        </Text>
      )}
      <ul className={css.viewList}>
        {views.map((view) => (
          <li key={view.name}>
            <button
              type="button"
              className={css.plainButton}
              aria-current={view === current ? "true" : undefined}
              onClick={() => navigate(view.query ? `/orders?${view.query}` : "/orders")}
            >
              {view.name}
            </button>
            <button
              type="button"
              className={css.iconButton}
              aria-label={t("views.delete", { name: view.name })}
              onClick={() => save(views.filter((each) => each !== view))}
            >
              <X size={16} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
      <FormError text={error} />
      <form
        className={css.inlineForm}
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextField label={t("views.name")} value={name} maxLength={60} onChange={setName} />
        <Button type="submit" variant="secondary" disabled={!name.trim()}>
          {t("common.save")}
        </Button>
      </form>
    </Menu>
  );
}
