"use strict";
console.error("2026-01-05T10:00:00.001Z INFO up");
function pay() {
  throw new Error("card refused\nby the bank");
}
pay();
