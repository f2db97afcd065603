import "@saleor/macaw-ui/style";
import "./main.css";
import { ThemeProvider } from "@saleor/macaw-ui";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { bridge } from "./dashboard/bridge";

const root = document.getElementById("root");
if (root) {
  const { theme } = bridge.getState();
  createRoot(root).render(
    <ThemeProvider defaultTheme={theme === "dark" ? "defaultDark" : "defaultLight"}>
      <App />
    </ThemeProvider>,
  );
}
