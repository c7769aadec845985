import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App.jsx";
import "./app.css";

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <BrowserRouter basename="/buy">
      <App />
    </BrowserRouter>
  </StrictMode>,
);
