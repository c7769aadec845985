import "./plans.css";

const PLANS = [
  { name: "Monthly", price: "9.00" },
  { name: "Yearly", price: "90.00" },
];

export default function Plans() {
  return (
    <main>
      <h1>Plans</h1>
      <ul className="plans" data-release={__RELEASE__}>
        {PLANS.map((plan) => (
          <li key={plan.name}>
            {plan.name}: {plan.price}
          </li>
        ))}
      </ul>
    </main>
  );
}
