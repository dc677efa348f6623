// Users of a demo in large numbers, made through its API.

// signInMany signs that many users in, u1@example.com and so on, each once. All of them use one
// nonce, which a browser would get anew for each sign-in.
export async function signInMany(site, keys, count, nameOf = (n) => "User " + n) {
  const key = keys.find(({ url }) => url === site);
  const headers = { "Content-Type": "application/json", Cookie: key.name + "=" + key.value };
  const begun = await fetch(site + "/api/login", { headers });
  const { nonce } = await begun.json();
  headers.Cookie += "; " + begun.headers.getSetCookie()[0].split(";")[0];
  const post = async (path, body) => {
    const response = await fetch(site + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) {
      throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  };
  const waiting = Array.from({ length: count }, (_, i) => i + 1);
  const work = async () => {
    for (let n = waiting.shift(); n; n = waiting.shift()) {
      const { credential } = await post("/demo/token", { email: `u${n}@example.com`, name: nameOf(n), nonce });
      await post("/api/login", { credential });
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}
