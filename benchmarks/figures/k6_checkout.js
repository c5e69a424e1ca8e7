// The same flow as locustfiles/checkout_flow.py for k6: seven steps, Appendix A's funnel, 2 to 5 s
// of think time, a journey every 40.3 s, 12,000 VUs with connections of their own to three hosts.
import http from "k6/http";
import exec from "k6/execution";
import { sleep } from "k6";
import { Counter, Trend } from "k6/metrics";

const CHECKOUT = __ENV.CHECKOUT_URL;
const PAYMENT = __ENV.PAYMENT_URL;
const CART = __ENV.CART_URL;
const USERS = Number(__ENV.USERS);
const RAMP_S = Number(__ENV.RAMP_S);
const SETTLE_S = Number(__ENV.SETTLE_S);
const MEASURED_S = Number(__ENV.MEASURED_S);
const PERIOD_S = 40.3;
const STEPS = ["browse", "detail", "add_to_cart", "apply_coupon", "start_checkout", "charge", "confirm"];
const CATEGORIES = ["electronics", "apparel", "home", "beauty", "sports"];
const DECLINED = ["tok_test_decline_0002", "tok_test_insufficient_9995"];

export const options = {
  scenarios: {
    shoppers: {
      executor: "ramping-vus",
      stages: [
        { duration: `${RAMP_S}s`, target: USERS },
        { duration: `${SETTLE_S + MEASURED_S}s`, target: USERS },
      ],
      gracefulStop: "0s",
    },
  },
  discardResponseBodies: true,
  summaryTrendStats: ["count", "p(50)", "p(95)", "p(99)", "max"],
};

const latency = {};
for (const step of STEPS) latency[step] = new Trend(`step_${step}`, true);
const unexpected = new Counter("unexpected");

let requests = 0;

function measuring() {
  const passed_s = (Date.now() - exec.scenario.startTime) / 1000;
  return passed_s > RAMP_S + SETTLE_S && passed_s <= RAMP_S + SETTLE_S + MEASURED_S;
}

function send(step, method, url, body, expected, extra) {
  requests += 1;
  const headers = {
    Authorization: `Bearer lt-user-token-${String(exec.vu.idInTest).padStart(5, "0")}`,
    "Content-Type": "application/json",
    "X-Locust-Worker": "k6",
    "X-Request-ID": `lt-req-k6-${exec.vu.idInTest}-${requests}`,
  };
  const wanted = step === "start_checkout" || step === "charge" ? "text" : "none";
  const answer = http.request(method, url, body && JSON.stringify(body), {
    headers: Object.assign(headers, extra),
    responseType: wanted,
    tags: { name: step },
  });
  if (measuring()) {
    latency[step].add(answer.timings.duration);
    if (!expected.includes(answer.status)) unexpected.add(1);
  }
  sleep(2 + 3 * Math.random());
  return answer;
}

function journey() {
  const user = exec.vu.idInTest;
  const cart = { cart_id: `cart-k6-${user}`, user_id: `lt-user-${user}` };
  const category = CATEGORIES[Math.floor(Math.random() * CATEGORIES.length)];
  send("browse", "GET", `${CHECKOUT}/api/v2/products?category=${category}`, null, [200]);
  if (Math.random() >= 268 / 298) return;
  const product = `p-${String(1 + Math.floor(10000 * Math.random())).padStart(5, "0")}`;
  send("detail", "GET", `${CHECKOUT}/api/v2/products/${product}`, null, [200]);
  if (Math.random() >= 175 / 268) return;
  const item = Object.assign({ product_id: product, quantity: 1 }, cart);
  send("add_to_cart", "POST", `${CART}/api/v2/cart/items`, item, [200]);
  if (Math.random() < 0.3) {
    const coupon = { cart_id: cart.cart_id, coupon_code: "BF25-001" };
    send("apply_coupon", "POST", `${CHECKOUT}/api/v2/checkout/apply-coupon`, coupon, [200]);
  }
  if (Math.random() >= 88 / 175) return;
  const started = send("start_checkout", "POST", `${CHECKOUT}/api/v2/checkout/start`, cart, [200]);
  if (started.status !== 200 || Math.random() >= 81 / 88) return;
  const id = started.json("checkout_id");
  const card = Math.random() < 0.03 ? DECLINED[Math.floor(2 * Math.random())] : "tok_test_visa_4242";
  const charge = { checkout_id: id, payment_method: "card", card_token: card };
  const key = { "Idempotency-Key": `${id}-${user}-${requests}` };
  const paid = send("charge", "POST", `${PAYMENT}/api/v2/payments/charge`, charge, [200, 402], key);
  if (paid.status !== 200) return;
  const order = { checkout_id: id, payment_id: paid.json("payment_id") };
  send("confirm", "POST", `${CHECKOUT}/api/v2/orders/confirm`, order, [201]);
}

export default function () {
  const began = Date.now();
  if (__ITER === 0) sleep(Math.random());
  journey();
  const left_s = PERIOD_S - (Date.now() - began) / 1000;
  if (left_s > 0) sleep(left_s);
}

export function handleSummary(data) {
  const steps = {};
  for (const step of STEPS) {
    const found = data.metrics[`step_${step}`];
    if (found) steps[step] = found.values;
  }
  const failed = data.metrics.unexpected ? data.metrics.unexpected.values.count : 0;
  return { [__ENV.SUMMARY]: JSON.stringify({ steps, unexpected: failed }) };
}
