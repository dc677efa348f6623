function listen() {
  const stream = new EventSource("/events");
  const leave = () => { stream.close(); location.assign("/login?next=" + encodeURIComponent(location.pathname)); };
  stream.addEventListener("signed-out", leave);
  stream.addEventListener("error", async () => {
    if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    const answer = await fetch("/api/user").catch(() => null); // an EventSource does not tell the status
    if (answer?.status === 401) leave();
    else setTimeout(listen, 5000); // an outage, or a server that restarts
  });
}
