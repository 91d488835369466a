import fs from "node:fs";
const pay = async () => { throw new TypeError("card refused"); };
const order = async () => { try { await pay(); } catch (cause) { throw new Error("order 7 failed", { cause }); } };
const later = () => new Promise((resolve, reject) => setTimeout(() => reject(new RangeError("too late")), 5));
console.error("2026-01-05T10:00:00.001Z INFO up");
console.error("2026-01-05T10:00:00.002Z ERROR it failed");
try { await order(); } catch (error) { console.error(error); }
console.error("2026-01-05T10:00:00.003Z INFO on we go");
try { fs.readFileSync("/nowhere/file"); } catch (error) { console.error("reading failed", error); }
console.error("2026-01-05T10:00:00.004Z INFO and on");
try { await Promise.any([later(), order()]); } catch (error) { console.error(error); }
console.error("2026-01-05T10:00:00.005Z INFO stack only");
try { await later(); } catch (error) { console.error(error.stack); }
console.error("2026-01-05T10:00:00.006Z INFO last words");
await order();
