// This file makes a table that spreadsheets read (RFC 4180).

// csv returns the text of a table. The first row has the names of the columns. Excel takes
// UTF-8 for another encoding without the byte order mark.
export const csv = (rows) => "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");

// A spreadsheet runs a cell that begins with one of these characters as a formula, which
// another person may have written. An apostrophe in front makes it a text.
const formula = /^[=+\-@\t\r]/;

function cell(value) {
  const text = typeof value === "string" && formula.test(value) ? "'" + value : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// download saves a text as a file of the person.
export function download(name, text, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may read it later than the click
}
