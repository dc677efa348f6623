// This file is the client of the routes that only a demo has, under /demo. It also sends
// requests that a page shows as text, with their answers.

import { Problem, apiURL, interceptors } from "./api.js";

// demo sends a request and returns what the server answers, or null if that has no body.
export async function demo(method, path, body) {
  const response = await ask(method, "/demo" + path, body);
  if (response.ok) {
    return response.status === 204 ? null : response.json();
  }
  const problem = new Problem(response.status, await response.json().catch(() => ({})));
  if (problem.isSignedOut) {
    interceptors.signedOut(problem.code);
  }
  throw problem;
}

// exchange sends a request of this page, and returns it and its answer as texts. Every
// status is a result. It throws a Problem only if the server does not answer.
export async function exchange(method, path, body) {
  const began = performance.now();
  const response = await ask(method, path, body);
  const ms = Math.round(performance.now() - began);
  const text = await response.text();
  return { request: requestText(method, path, body), status: response.status, ms, answer: answerText(response, text), text };
}

const ask = (method, path, body) =>
  fetch(apiURL(path), {
    method,
    credentials: "include",
    cache: "no-store",
    ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Problem(0);
  });

// The page cannot read the cookie, which is HttpOnly, so the text has its name only.
const requestText = (method, path, body) =>
  `${method} ${path} HTTP/1.1\nHost: ${location.host}\nCookie: __Host-Http-session=••••••\n` +
  (body === undefined ? "" : `Content-Type: application/json\n\n${JSON.stringify(body)}`);

function answerText(response, text) {
  const media = response.headers.get("Content-Type");
  return `HTTP/1.1 ${response.status} ${response.statusText}${media ? "\nContent-Type: " + media : ""}${text && "\n\n" + text.trim()}`;
}
