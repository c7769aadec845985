import { useParams } from "react-router";

export default function Checkout() {
  const { plan } = useParams();
  return (
    <main>
      <h1>Checkout</h1>
      <p role="status">
        Plan {plan}, release {__RELEASE__}
      </p>
    </main>
  );
}
