// Requests that take lognormal times, some of which fail; what k6 says of each is printed.
import http from "k6/http";

export const options = {
  vus: 4,
  iterations: 2000,
  thresholds: {
    "http_req_duration{name:/browse}": [],
    "http_req_duration{name:/missing}": [],
  },
};

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

export default function () {
  const good = __ITER % 5 > 0;
  const [path, name] = good ? ["wait", "/browse"] : ["missing", "/missing"];
  const ms = Math.min(300, Math.exp(2 + 0.8 * normal()));
  const answer = http.get(`${__ENV.URL}/${path}?ms=${ms.toFixed(1)}`, { tags: { name } });
  const told = [name, answer.status, answer.timings.duration, answer.headers["X-Response-Time"]];
  console.log(JSON.stringify(told));
}
