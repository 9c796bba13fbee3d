// Where clocks change, found by asking Intl: moments around which windows are tried.
export const kZones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns",
  "Pacific/Chatham", "Europe/Dublin", "Pacific/Apia"];

const formats = new Map();
// Milliseconds east of UTC.
export function offset(zone, ms) {
  if (!formats.has(zone))
    formats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric",
      day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }));
  const p = {};
  for (const { type, value } of formats.get(zone).formatToParts(ms)) p[type] = Number(value);
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(ms / 1000) * 1000;
}

const kDay = 86_400_000, kFirst = Date.UTC(1971, 0, 1), kLast = Date.UTC(2085, 0, 1);
const found = new Map();
// The moments at which the zone's offset changes, looked for in one year at a time: [] in a year without.
export function changes(zone, year) {
  const key = `${zone} ${year}`;
  if (!found.has(key)) {
    const out = [];
    const last = Date.UTC(year + 1, 0, 1);
    for (let from = Date.UTC(year, 0, 1); from < last; from += 15 * kDay) {
      let low = from, high = Math.min(from + 15 * kDay, last);
      if (offset(zone, low) === offset(zone, high)) continue;
      while (high - low > 1000) {
        const middle = Math.floor((low + high) / 2000) * 1000;
        if (offset(zone, middle) === offset(zone, low)) low = middle;
        else high = middle;
      }
      out.push(high);
    }
    found.set(key, out);
  }
  return found.get(key);
}
export const kSpan = [kFirst, kLast];
