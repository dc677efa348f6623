// A Stream reads events of the server from open to close, while the page is visible. It is
// closed while the page is hidden, because a browser has few connections for all its tabs.
//
// A browser connects again by itself after a lost connection, but not after a refusal. A
// refusal may mean that the session has ended, that the server starts, or that the user has
// too many streams. So after a refusal the Stream connects again, after a pause.
export class Stream {
  #url;
  #events;
  #mayReconnect;
  #firstPause;
  #pause; // milliseconds before the next connection after a refusal
  #source = null;
  #timer = 0;
  #isOpen = false;

  // events are functions by the name of the event, which get its data as a text. The server
  // sends "hello" whenever a stream has begun, also after an interruption, during which
  // events may have been missed. mayReconnect is asked after a refusal.
  constructor(url, events, { mayReconnect = async () => true, firstPause = 1_000 } = {}) {
    this.#url = url;
    this.#events = { hello: () => {}, ...events };
    this.#mayReconnect = mayReconnect;
    this.#firstPause = this.#pause = firstPause;
  }

  // isOpen is true from open to close, also while the Stream waits to connect.
  get isOpen() {
    return this.#isOpen;
  }

  open() {
    this.close();
    this.#isOpen = true;
    this.#pause = this.#firstPause;
    document.addEventListener("visibilitychange", this.#connect);
    this.#connect();
  }

  close() {
    this.#isOpen = false;
    document.removeEventListener("visibilitychange", this.#connect);
    this.#disconnect();
  }

  #connect = () => {
    this.#disconnect();
    if (document.visibilityState !== "visible") {
      return;
    }
    const source = (this.#source = new EventSource(this.#url, { withCredentials: true }));
    source.addEventListener("hello", () => (this.#pause = this.#firstPause));
    for (const [name, handle] of Object.entries(this.#events)) {
      source.addEventListener(name, ({ data }) => handle(data));
    }
    source.onerror = () => source.readyState === EventSource.CLOSED && this.#reconnect(source);
  };

  async #reconnect(source) {
    if (source === this.#source && (await this.#mayReconnect()) && source === this.#source) {
      this.#timer = setTimeout(this.#connect, this.#pause);
      this.#pause = Math.min(2 * this.#pause, 30_000);
    }
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
