// The texts of this language are one script, because a page needs all of them at once.
export default import.meta.glob("./es/*.json", { eager: true, import: "default" });
