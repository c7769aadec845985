import { lazy, Suspense, useState } from "react";
import { Link, Route, Routes } from "react-router";
import basket from "./basket.svg";

const Plans = lazy(() => import("./Plans.jsx"));
const Checkout = lazy(() => import("./Checkout.jsx"));

function Home() {
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Buy</h1>
      <img src={basket} alt="Basket" />
      <p>Release {__RELEASE__}</p>
      <button type="button" onClick={() => setCount(count + 1)}>
        Add to basket
      </button>
      <p role="status">{count} in the basket</p>
    </main>
  );
}

export function App() {
  return (
    <>
      <nav>
        <Link to="/">Home</Link> <Link to="/plans">Plans</Link> <Link to="/checkout/yearly">Checkout</Link>
      </nav>
      <Suspense fallback={<p>Loading</p>}>
        <Routes>
          <Route path="/" element={<Home />} />
          <Route path="/plans" element={<Plans />} />
          <Route path="/checkout/:plan" element={<Checkout />} />
          <Route path="*" element={<h1>No such page</h1>} />
        </Routes>
      </Suspense>
    </>
  );
}
