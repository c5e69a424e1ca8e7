// One page of a shop that stands still now and then: arrivals at a steady rate, or users who pause.
import http from "k6/http";
import { sleep } from "k6";

const OPEN = __ENV.MODEL === "arrivals";
const DURATION = `${__ENV.SECONDS}s`;
const USERS = Number(__ENV.USERS);
const THINK_S = Number(__ENV.THINK_S);

export const options = {
  scenarios: {
    page: OPEN
      ? {
          executor: "constant-arrival-rate",
          rate: Number(__ENV.RATE),
          timeUnit: "1s",
          duration: DURATION,
          preAllocatedVUs: USERS,
          maxVUs: USERS,
        }
      : { executor: "constant-vus", vus: USERS, duration: DURATION, gracefulStop: "5s" },
  },
  summaryTrendStats: ["count", "p(99)"],
};

export default function () {
  http.get(__ENV.URL);
  if (!OPEN) sleep(THINK_S);
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data.metrics.http_req_duration.values) };
}
