// This file keeps the places of addresses, if the server has a database of places.

import { get } from "./api.js";

const places = $state({}); // by address; "" if the place is not known
const most = 100; // addresses that one request may name

// place returns the place of an address, or "".
export const place = (ip) => places[ip] ?? "";

// askForPlaces gets the places of addresses that it has not asked for before. A page without
// places is complete, so a problem is not shown.
export async function askForPlaces(addresses) {
  const unknown = addresses.filter((ip, i) => ip && !(ip in places) && addresses.indexOf(ip) === i);
  for (const ip of unknown) {
    places[ip] = "";
  }
  for (let i = 0; i < unknown.length; i += most) {
    const query = unknown.slice(i, i + most).map((ip) => "ip=" + encodeURIComponent(ip));
    const answer = await get("/places?" + query.join("&")).catch(() => ({ places: {} }));
    Object.assign(places, answer.places);
  }
}
