// Sends with hot-shots what test_statsd_clients.py expects: node sender.js FOLDER_OF_MODULES udp|tcp|uds PORT_OR_PATH COUNT
const [modules, protocol, place, count] = process.argv.slice(2);
const StatsD = require(`${modules}/hot-shots`);
const client = new StatsD({
  protocol,
  ...(protocol === "uds" ? { path: place } : { host: "127.0.0.1", port: Number(place) }),
  prefix: `${protocol}.`,
  cacheDns: true,
  maxBufferSize: 1000,
  globalTags: { client: "hot-shots" },
  errorHandler: (error) => {
    console.error(error);
    process.exit(1);
  },
});
for (let number = 0; number < Number(count); number += 1) {
  client.increment("counter");
  client.timing("timer", number);
  client.histogram("histogram", number);
  client.gauge("gauge", number);
  client.set("set", number % 10);
}
client.close((error) => {
  if (error) {
    console.error(error);
    process.exit(1);
  }
});
